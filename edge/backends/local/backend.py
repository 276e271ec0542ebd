"""The embedded back end: a folder, database rows, QuickJS. Good for one machine."""

import shutil
from pathlib import Path

from edge.backends.local.objects import FolderStore
from edge.backends.local.rows import RowDistribution, RowFunctionHost, RowKeyValueStore
from edge.backends.local.snapshot import read_snapshot
from edge.backends.viewers import InProcessViewer
from edge.origins import KeyValueOrigins
from edge.protocols import Backend, Diagnosis

LEAST_FREE_BYTES = 256 * 2**20


class FolderDiagnostics:
    """The Diagnostics of one machine: is there space for another release?"""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def diagnose(self) -> list[Diagnosis]:
        existing = next(path for path in (self._folder, *self._folder.parents) if path.exists())
        free = shutil.disk_usage(existing).free
        return [
            Diagnosis(
                name="space",
                ok=free >= LEAST_FREE_BYTES,
                message=f"{free / 2**30:.1f} GiB are free in the object store's folder",
                hint="Make room there, or set DATA_DIR to a folder on a larger disk.",
            )
        ]


def local_backend(store_dir: Path) -> Backend:
    """Compose the local back end over a folder."""
    objects, keyvalues = FolderStore(store_dir), RowKeyValueStore()
    return Backend(
        name="local",
        objects=objects,
        keyvalues=keyvalues,
        functions=RowFunctionHost(),
        distribution=RowDistribution(),
        viewer=InProcessViewer(objects, read_snapshot),
        origins=KeyValueOrigins(keyvalues),
        diagnostics=FolderDiagnostics(store_dir),
    )
