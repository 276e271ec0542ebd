"""A viewer for probing through a local edge in this process."""

from collections.abc import Iterable
from urllib.parse import unquote_to_bytes

from edge.errors import BackendUnavailable
from edge.protocols import ObjectStore, ReadSnapshot, ViewerResponse
from edge.serving.wsgi import Environ, LocalEdge, StartResponse


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

    def fetch(self, host: str, path: str, *, cookie: str = "", via: str = "") -> ViewerResponse:
        seen: dict[str, object] = {}

        def start_response(status: str, headers: list[tuple[str, str]]) -> None:
            seen.update(status=int(status.split(maxsplit=1)[0]), headers=dict(headers))

        chunks = self._edge(_environ(host, path, cookie), start_response)
        try:
            body = b"".join(chunks)
        finally:
            getattr(chunks, "close", bool)()  # as a server does
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
