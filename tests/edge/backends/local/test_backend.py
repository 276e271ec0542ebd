"""The local back end's checks of itself."""

from pathlib import Path

import pytest

from edge.backends import get_backend
from edge.backends.local.backend import FolderDiagnostics


def test_free_space(settings):
    (finding,) = get_backend().diagnostics.diagnose()
    assert (finding.name, finding.ok) == ("space", True)


@pytest.mark.parametrize("folder", ["", "not/created/yet"])
def test_disk_that_is_nearly_full(tmp_path, folder):
    (finding,) = FolderDiagnostics(Path(tmp_path, folder), least_free_bytes=2**70).diagnose()
    assert not finding.ok
    assert "DATA_DIR" in finding.hint
