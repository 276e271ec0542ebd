"""The embedded back end: a folder, database rows, QuickJS. Good for one machine."""

from pathlib import Path

from edge.backends.folder import FolderStore
from edge.backends.rows import RowDistribution, RowFunctionHost, RowKeyValueStore
from edge.backends.state import read_snapshot
from edge.backends.viewers import InProcessViewer
from edge.protocols import Backend


def local_backend(store_dir: Path) -> Backend:
    """Compose the local back end over a folder."""
    objects = FolderStore(store_dir)
    return Backend(
        name="local",
        objects=objects,
        keyvalues=RowKeyValueStore(),
        functions=RowFunctionHost(),
        distribution=RowDistribution(),
        viewer=InProcessViewer(objects, read_snapshot),
    )
