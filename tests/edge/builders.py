"""A local edge over a store in a folder and values in memory."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edge.backends.local.objects import FolderStore
from edge.protocols import Snapshot, ViewerResponse
from edge.routing import RoutingDocument
from edge.serving.wsgi import LocalEdge

RELEASE = "20260102-000000-aaaaaaaa"
DOCUMENT_RULE = "public, max-age=0, must-revalidate"
# Of releases that were pushed before the edge's own lifetime left the stored rule.
EARLIER_RULE = f"{DOCUMENT_RULE}, s-maxage=31536000"
PAGE = b"<!doctype html><p>A page.</p>\n" * 60


def put(objects, key, body=PAGE, *, content_type="text/html; charset=utf-8", rule=DOCUMENT_RULE,
        **metadata):  # fmt: skip
    """Store an object as a push does."""
    return objects.put(key, body, content_type=content_type, cache_control=rule, metadata=metadata)


def application(environ, start_response):
    """Answer with the path, in place of Django."""
    start_response("200 OK", [("content-type", "text/plain"), ("x-from", "application")])
    return [environ["PATH_INFO"].encode()]


@dataclass
class Machine:
    """A local edge whose back end is changed by a test."""

    folder: Path
    options: dict[str, Any] = field(default_factory=dict)
    state: Snapshot = field(default_factory=Snapshot)

    def __post_init__(self):
        self.objects = FolderStore(self.folder)
        self.edge = LocalEdge(
            application,
            objects=self.objects,
            read_snapshot=lambda known: self.state,
            **{"refresh_seconds": 0, **self.options},
        )
        self.route()

    def route(self, release=RELEASE, **more):
        """Point localhost at a release."""
        document = RoutingDocument(environment="production", release=release).to_json()
        self.state = Snapshot(
            etag=release,
            published=0,
            invalidated=0,
            keyvalues={"host:localhost": document, **more.pop("keyvalues", {})},
            **more,
        )

    def ask(self, path, method="GET", host="localhost", **environ) -> ViewerResponse:
        """Send a request with headers and variables of a WSGI environ."""
        location, _, query = path.partition("?")
        seen = []
        body = self.edge(
            {
                "REQUEST_METHOD": method,
                "RAW_URI": path,
                "PATH_INFO": location,
                "QUERY_STRING": query,
                "HTTP_HOST": host,
                "REMOTE_ADDR": "192.0.2.1",
                "wsgi.url_scheme": "http",
                **environ,
            },
            lambda status, headers: seen.append((status, headers)),
        )
        try:
            content = b"".join(body)
        finally:
            getattr(body, "close", bool)()  # as a server does
        ((status, headers),) = seen
        cookies = [value for name, value in headers if name == "set-cookie"]
        rest = [header for header in headers if header[0] != "set-cookie"]
        assert len(dict(rest)) == len(rest), f"a header twice: {headers}"
        seen_headers = dict(rest) | ({"set-cookie": "\n".join(cookies)} if cookies else {})
        return ViewerResponse(int(status[:3]), seen_headers, content)
