"""The local edge: WSGI middleware that answers storage paths itself and passes on the others.

It handles a request as CloudFront does: choose the behaviour by the path as sent, run the
viewer-request function, look up the rewritten URI in the cache, then in the object store. It does
not depend on Django; edge/local_edge.py composes it.

The path "as sent" is gunicorn's RAW_URI. Servers without it, such as Django's runserver, have
decoded the path: `%2f` is `/`, and dot segments are plain. There such paths are rejected or not
found too, but sometimes with another status.
"""

import logging
import secrets
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import lru_cache
from http import HTTPStatus
from itertools import count
from typing import Any
from urllib.parse import quote, unquote
from wsgiref.util import FileWrapper

from edge.behaviours import (
    ALIVE,
    STRICT_TRANSPORT,
    Behaviour,
    Origin,
    behaviour_for,
    with_own_headers,
)
from edge.errors import (
    BackendUnavailable,
    FunctionFailed,
    FunctionInvalid,
    ObjectMissing,
    StaleEtag,
)
from edge.functions.shipped import function_source
from edge.origins import INDEX, ORIGIN_KEY
from edge.protocols import ObjectStore, ReadSnapshot, Snapshot
from edge.runtime.event import ViewerRequest
from edge.runtime.quickjs import EdgeFunction
from edge.runtime.results import Generated, Rewritten
from edge.serving.cache import CACHE_BYTES, EdgeCache
from edge.serving.host_rules import rules_by_host
from edge.serving.hosts import Host, read_host
from edge.serving.lifetimes import MISSING_RULE, time_to_live
from edge.serving.representation import (
    Representation,
    Response,
    error_page,
    is_streamed,
    stream,
)
from edge.serving.snapshot import REFRESH_SECONDS, SnapshotKeeper
from edge.serving.snapshot_file import SnapshotFile
from edge.serving_rules import ServingRules
from edge.viewer_address import viewer_address

logger = logging.getLogger(__name__)

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
Application = Callable[[Environ, StartResponse], Iterable[bytes]]

ERROR_PAGE = "errors/404.html"
INDEX_ERROR = "404.html"  # the error page below an origin's prefix
# Variables of the environ for the application: how current the routing is, as a function.
SNAPSHOT_HEALTH = "edge.snapshot_health"
# Bytes of a stream that are held at once, where the server does not send it by itself.
CHUNK_BYTES = 64 * 1024
# What the cache keeps no longer than this is compared with the store before it is sent.
CHECKED_SECONDS = 10
_SAFE = "/:@!$&'()*+,;=-._~"
_REASONS = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}
# Together they identify a request, as CloudFront's request id does.
_PROCESS = secrets.token_hex(6)
_numbers = count(1)
_ELSEWHERE = frozenset({"HTTP_COOKIE", "HTTP_HOST"})  # in other fields of the event
_HIT = ("x-cache", "Hit from local edge")
_MISS = ("x-cache", "Miss from local edge")
_ERROR = ("x-cache", "Error from local edge")
_GENERATED = ("x-cache", "FunctionGeneratedResponse from local edge")


class LocalEdge:
    """Answers storage paths in front of an application."""

    def __init__(
        self,
        application: Application,
        *,
        objects: ObjectStore,
        read_snapshot: ReadSnapshot,
        refresh_seconds: float = REFRESH_SECONDS,
        cache_bytes: int = CACHE_BYTES,
        secure_header: tuple[str, str] | None = None,
        trusted_proxies: int = 0,
        snapshot_file: SnapshotFile | None = None,
    ) -> None:
        """`secure_header` is the environ key and value with which a trusted proxy says "https".

        `snapshot_file` keeps the routing for processes that start without the back end.
        """
        self._application = application
        self._objects = objects
        self._secure_header = secure_header
        self._trusted_proxies = trusted_proxies
        self.cache = EdgeCache(max_bytes=cache_bytes)
        self._origin_caches: dict[str, EdgeCache] = {}
        self._functions: dict[str, EdgeFunction] = {}
        self._rules: dict[str, ServingRules] = {}
        self._keeper = SnapshotKeeper(
            read=read_snapshot,
            changed=self._changed,
            refresh_seconds=refresh_seconds,
            file=snapshot_file,
        )

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        path = raw_path(environ)
        behaviour = self._behaviour(path, _host(environ))
        if behaviour.origin is Origin.APPLICATION:
            environ[SNAPSHOT_HEALTH] = self._keeper.health
            return self._application(environ, start_response)
        response = self._respond(environ, path, behaviour)
        start_response(
            response.reason or _REASONS[response.status],
            [*response.headers, *self._policy(behaviour, environ)],
        )
        return _body(response, environ)

    def _behaviour(self, path: str, host: Host) -> Behaviour:
        """Return the behaviour of a path at a host, with the headers of its environment."""
        if path != ALIVE:  # which answers without the back end
            self._keeper.current()
        rules = self._rules.get(host.name)
        if rules is None:
            return behaviour_for(path)
        found = behaviour_for(path, application=rules.application)
        return replace(found, headers=with_own_headers(found.headers, rules.headers))

    def _respond(self, environ: Environ, path: str, behaviour: Behaviour) -> Response:
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            return _plain(403, "This address is read-only.\n")
        snapshot, host = self._keeper.current(), _host(environ)
        origin = snapshot.keyvalues.get(ORIGIN_KEY + host.name)
        try:
            if origin:
                return self._from_origin(origin, path, behaviour, environ)
            return self._through_function(environ, path, host, behaviour, snapshot)
        except FunctionFailed as error:
            # The path may contain a tracking token, so it is not logged.
            logger.error("%s", error)
            status = 502 if isinstance(error, FunctionInvalid) else 503
            return _plain(status, "This page cannot be shown at the moment.\n")
        except (BackendUnavailable, StaleEtag) as error:
            logger.error("%s", error)
            return _plain(503, "This page cannot be shown at the moment.\n")

    def _through_function(
        self, environ: Environ, path: str, host: Host, behaviour: Behaviour, snapshot: Snapshot
    ) -> Response:
        result = self._run_function(environ, path, host, snapshot)
        if isinstance(result, Generated):
            return _generated(result, behaviour)
        uri = result.uri
        try:
            return self._from_storage(self.cache, uri, unquote(uri[1:]), behaviour, environ)
        except ObjectMissing:
            return self._missing(ERROR_PAGE)

    def _from_origin(
        self, origin: str, path: str, behaviour: Behaviour, environ: Environ
    ) -> Response:
        """Answer with a file below a prefix, as S3's website endpoint does."""
        key = origin + unquote(path[1:])
        cache = self._origin_caches.get(origin)
        if cache is None:
            cache = self._origin_caches[origin] = EdgeCache(max_bytes=self.cache.max_bytes)
        name = key + INDEX if key.endswith("/") else key
        try:
            return self._from_storage(cache, path, name, behaviour, environ)
        except ObjectMissing:
            if not key.endswith("/") and self._objects.head(f"{key}/{INDEX}"):
                return Response(
                    302, [("location", path + "/"), ("content-length", "0"), _MISS], b""
                )
            return self._missing(origin + INDEX_ERROR)

    def _run_function(
        self, environ: Environ, path: str, host: Host, snapshot: Snapshot
    ) -> Rewritten | Generated:
        # Before the first publication the shipped function runs.
        source = snapshot.hosts.get(host.name) or function_source()
        function = self._functions.get(source)
        if function is None:
            function = self._functions[source] = EdgeFunction(source)
        request = ViewerRequest(
            uri=path,
            headers=_headers(environ, host),
            method=environ["REQUEST_METHOD"],
            querystring=environ.get("QUERY_STRING", ""),
            cookies=environ.get("HTTP_COOKIE", ""),
            ip=viewer_address(environ, trusted_proxies=self._trusted_proxies),
            request_id=f"{_PROCESS}{next(_numbers)}",
        )
        return function.run_request(request, snapshot.keyvalues, version=snapshot.etag)

    def _from_storage(
        self, cache: EdgeCache, uri: str, key: str, behaviour: Behaviour, environ: Environ
    ) -> Response:
        """Answer with an object, from the cache if it is there. Raises ObjectMissing, StaleEtag."""
        method = environ["REQUEST_METHOD"]
        found = cache.get(uri)
        if found and self._is_current(found[0], key, behaviour):
            representation, age = found
            response = representation.respond(method=method, conditions=environ)
            return _with(response, _HIT, ("age", str(age)))
        generation = cache.generation
        info = self._objects.head(key)
        if info and is_streamed(info, method=method, conditions=environ):
            response = stream(self._objects, info, method=method, conditions=environ)
            return _with(response, _MISS)
        representation = Representation(self._objects.get(key))
        ttl = _lifetime(representation, behaviour)
        cache.put(uri, representation, ttl=ttl, generation=generation)
        return _with(representation.respond(method=method, conditions=environ), _MISS)

    def _is_current(self, kept: Representation, key: str, behaviour: Behaviour) -> bool:
        """Whether the object is still the one in the cache.

        An object with a short life is replaced in place, and the store is as near as the cache. So
        a change of a tracking document shows at once, and nothing has to say that it was written.
        """
        if _lifetime(kept, behaviour) > CHECKED_SECONDS:
            return True
        info = self._objects.head(key)
        return info is not None and info.etag == kept.etag

    def _missing(self, key: str) -> Response:
        try:
            return _with(error_page(self._objects.get(key), MISSING_RULE), _ERROR)
        except ObjectMissing:
            return _plain(404, "There is no page at this address.\n")

    def _policy(self, behaviour: Behaviour, environ: Environ) -> list[tuple[str, str]]:
        """Return the headers of the behaviour's response headers policy."""
        secure = environ.get("wsgi.url_scheme") == "https"
        if self._secure_header and not secure:
            name, value = self._secure_header
            secure = environ.get(name) == value
        return [*behaviour.headers, STRICT_TRANSPORT] if secure else list(behaviour.headers)

    def _changed(self, snapshot: Snapshot) -> None:
        self._rules = rules_by_host(snapshot.keyvalues)
        if snapshot.dropped:
            for cache in (self.cache, *list(self._origin_caches.values())):
                cache.drop(snapshot.dropped)
        wanted = set(snapshot.functions.values())
        for source in self._functions.keys() - wanted:
            self._functions.pop(source, None)


def _lifetime(representation: Representation, behaviour: Behaviour) -> int:
    """Return for how many seconds the cache keeps an object."""
    return max(time_to_live(representation.cache_control), behaviour.minimum_ttl)


def raw_path(environ: Environ) -> str:
    """Return the path as the viewer sent it, percent-encoded, without the query string."""
    raw: str | None = environ.get("RAW_URI")
    if raw is None:
        decoded = environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")
        return quote(decoded.encode("latin-1"), safe=_SAFE) or "/"
    if not raw.startswith("/"):  # absolute form: http://host/path
        raw = "/" + raw.partition("://")[2].partition("/")[2]
    return raw.partition("?")[0].partition("#")[0]


def _headers(environ: Environ, host: Host) -> list[tuple[str, str]]:
    """Return the headers of a WSGI environ, without cookies, which the event lists separately."""
    headers = [
        (_header_name(name), value)
        for name, value in environ.items()
        if name[:5] == "HTTP_" and name not in _ELSEWHERE
    ]
    return [*headers, ("host", host.header)]


@lru_cache(maxsize=512)
def _header_name(key: str) -> str:
    return key[5:].replace("_", "-").lower()


def _host(environ: Environ) -> Host:
    # HTTP/1.0 has no Host header.
    return read_host(environ.get("HTTP_HOST") or environ.get("SERVER_NAME", ""))


def _body(response: Response, environ: Environ) -> Iterable[bytes]:
    """Return the body for the server, which closes a stream when it has sent it, or failed to."""
    if not isinstance(response.body, bytes):
        wrapper: Callable[..., Iterable[bytes]] = environ.get("wsgi.file_wrapper", FileWrapper)
        return wrapper(response.body, CHUNK_BYTES)
    return [b"" if environ["REQUEST_METHOD"] == "HEAD" else response.body]


def _with(response: Response, *headers: tuple[str, str]) -> Response:
    return Response(response.status, [*response.headers, *headers], response.body)


def _plain(status: int, text: str) -> Response:
    body = text.encode()
    headers = [
        ("content-type", "text/plain; charset=utf-8"),
        ("content-length", str(len(body))),
        ("cache-control", "no-store"),
        _ERROR,
    ]
    return Response(status, headers, body)


def _generated(result: Generated, behaviour: Behaviour) -> Response:
    """Return the function's response; the behaviour's headers replace those of the same name."""
    overridden = {name for name, _ in behaviour.headers}
    own = [header for header in result.headers if header[0] not in overridden]
    cookies = [("set-cookie", cookie) for cookie in result.cookies]
    length = ("content-length", str(len(result.body)))
    headers = [length, *own, *cookies, _GENERATED]
    return Response(result.status, headers, result.body, reason=f"{result.status} {result.reason}")
