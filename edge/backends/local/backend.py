"""Composes the local back end."""

import shutil
from pathlib import Path

from django.conf import settings

from edge import limits, pricing
from edge.backends.local.objects import FolderStore
from edge.backends.local.rows import RowDistribution, RowFunctionHost, RowKeyValueStore
from edge.backends.local.snapshot import read_snapshot
from edge.backends.viewers import InProcessViewer
from edge.origins import KeyValueOrigins
from edge.protocols import Backend, Diagnosis

LEAST_FREE_BYTES = 256 * 2**20


class FolderDiagnostics:
    """The Diagnostics of one machine: free disk space."""

    def __init__(self, folder: Path, *, least_free_bytes: int = LEAST_FREE_BYTES) -> None:
        self._folder = folder
        self._least_free_bytes = least_free_bytes

    def diagnose(self) -> list[Diagnosis]:
        existing = next(path for path in (self._folder, *self._folder.parents) if path.exists())
        free = shutil.disk_usage(existing).free
        return [
            Diagnosis(
                name="space",
                ok=free >= self._least_free_bytes,
                message=f"{free / 2**30:.1f} GiB free in the object store's folder",
                hint="Free some space, or set DATA_DIR to a folder on a larger disk.",
            )
        ]


def make_backend() -> Backend:
    """Return the local back end, with its objects in EDGE_STORE_DIR."""
    folder = Path(settings.EDGE_STORE_DIR)
    objects, keyvalues = FolderStore(folder), RowKeyValueStore()
    return Backend(
        name="local",
        # CloudFront's, so that a release that works here works there, at the cost shown here.
        limits=limits.CLOUDFRONT,
        pricing=pricing.CLOUDFRONT,
        objects=objects,
        keyvalues=keyvalues,
        functions=RowFunctionHost(),
        distribution=RowDistribution(),
        viewer=InProcessViewer(objects, read_snapshot),
        origins=KeyValueOrigins(keyvalues),
        diagnostics=FolderDiagnostics(folder),
        read_snapshot=read_snapshot,
        has_local_cache=True,
    )
