"""The embedded back end: a folder, database rows, QuickJS. Good for one machine."""

from collections.abc import Iterable
from pathlib import Path
from urllib.parse import unquote_to_bytes

from edge.backends.folder import FolderStore
from edge.backends.rows import RowDistribution, RowFunctionHost, RowKeyValueStore
from edge.backends.state import read_snapshot
from edge.errors import BackendUnavailable
from edge.protocols import Backend, ObjectStore, ViewerResponse
from edge.wsgi import Environ, LocalEdge, StartResponse


class InProcessViewer:
    """A Viewer that asks a local edge of its own: nothing cached, state read for every fetch."""

    def __init__(self, objects: ObjectStore) -> None:
        self._edge = LocalEdge(
            _no_application,
            objects=objects,
            read_snapshot=read_snapshot,
            refresh_seconds=0,
            cache_bytes=0,
        )

    def fetch(self, host: str, path: str) -> ViewerResponse:
        seen: dict[str, object] = {}

        def start_response(status: str, headers: list[tuple[str, str]]) -> None:
            seen.update(status=int(status.split(maxsplit=1)[0]), headers=dict(headers))

        body = b"".join(self._edge(_environ(host, path), start_response))
        return ViewerResponse(body=body, **seen)  # type: ignore[arg-type]


def _environ(host: str, path: str) -> Environ:
    location, _, query = path.partition("?")
    return {
        "REQUEST_METHOD": "GET",
        "RAW_URI": path,
        "PATH_INFO": unquote_to_bytes(location).decode("latin-1"),
        "QUERY_STRING": query,
        "HTTP_HOST": host,
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.url_scheme": "http",
    }


def _no_application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    raise BackendUnavailable(
        f"The path {environ['PATH_INFO']} is answered by the application, not by the edge.",
        "Probe a path of a surface.",
    )


def local_backend(store_dir: Path) -> Backend:
    """Compose the local back end over a folder."""
    objects = FolderStore(store_dir)
    return Backend(
        name="local",
        objects=objects,
        keyvalues=RowKeyValueStore(),
        functions=RowFunctionHost(),
        distribution=RowDistribution(),
        viewer=InProcessViewer(objects),
    )
