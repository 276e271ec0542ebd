"""Viewers for probing: over HTTP, or through a local edge in this process."""

import http.client
import socket
import ssl
from collections.abc import Iterable
from urllib.parse import unquote_to_bytes, urlsplit

from edge.errors import BackendUnavailable
from edge.protocols import ObjectStore, ReadSnapshot, ViewerResponse
from edge.serving.wsgi import Environ, LocalEdge, StartResponse

TIMEOUT_SECONDS = 10


class HttpViewer:
    """A Viewer over HTTPS.

    `url` (http://address:port or https://...) is where to connect, if not where DNS points. The
    Host header and the expected certificate remain those of the host.
    """

    def __init__(self, url: str = "") -> None:
        self._url = urlsplit(url)

    def fetch(self, host: str, path: str, *, cookie: str = "") -> ViewerResponse:
        connection = self._connection(host)
        headers = {"Host": host, "User-Agent": "QuickDumpNow"}
        if cookie:
            headers["Cookie"] = cookie
        try:
            connection.request("GET", path, headers=headers)
            response = connection.getresponse()
            return ViewerResponse(
                status=response.status,
                headers={name.lower(): value for name, value in response.getheaders()},
                body=response.read(),
            )
        except (OSError, http.client.HTTPException) as error:
            where = self._url.netloc or host
            raise BackendUnavailable(
                f"{where} did not answer: {error or type(error).__name__}.",
                "If DNS does not point to the edge yet, set EDGE_VIEWER_URL to its address.",
            ) from error
        finally:
            connection.close()

    def _connection(self, host: str) -> http.client.HTTPConnection:
        address, port = self._url.hostname or host, self._url.port
        if self._url.scheme == "http":
            return http.client.HTTPConnection(address, port, timeout=TIMEOUT_SECONDS)
        return _SecureConnection(address, port, host=host)


class _SecureConnection(http.client.HTTPSConnection):
    """A connection to one address that expects the certificate of another host."""

    def __init__(self, address: str, port: int | None, *, host: str) -> None:
        self._tls = ssl.create_default_context()
        super().__init__(address, port, timeout=TIMEOUT_SECONDS, context=self._tls)
        self._name = host.partition(":")[0]

    def connect(self) -> None:
        plain = socket.create_connection((self.host, self.port), TIMEOUT_SECONDS)
        self.sock = self._tls.wrap_socket(plain, server_hostname=self._name)


class InProcessViewer:
    """A Viewer through a local edge that caches nothing and reads the state for every fetch."""

    def __init__(self, objects: ObjectStore, read_snapshot: ReadSnapshot) -> None:
        self._edge = LocalEdge(
            _no_application,
            objects=objects,
            read_snapshot=read_snapshot,
            refresh_seconds=0,
            cache_bytes=0,
        )

    def fetch(self, host: str, path: str, *, cookie: str = "") -> ViewerResponse:
        seen: dict[str, object] = {}

        def start_response(status: str, headers: list[tuple[str, str]]) -> None:
            seen.update(status=int(status.split(maxsplit=1)[0]), headers=dict(headers))

        body = b"".join(self._edge(_environ(host, path, cookie), start_response))
        return ViewerResponse(body=body, **seen)  # type: ignore[arg-type]


def _environ(host: str, path: str, cookie: str) -> Environ:
    location, _, query = path.partition("?")
    return {
        "REQUEST_METHOD": "GET",
        "RAW_URI": path,
        "PATH_INFO": unquote_to_bytes(location).decode("latin-1"),
        "QUERY_STRING": query,
        "HTTP_HOST": host,
        **({"HTTP_COOKIE": cookie} if cookie else {}),
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.url_scheme": "http",
    }


def _no_application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    raise BackendUnavailable(
        f"{environ['PATH_INFO']} is answered by the application, not by the edge.",
        "Probe a path of a surface.",
    )
