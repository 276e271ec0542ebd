"""kill -9 at every store operation leaves one whole release live, and a second run finishes."""

import json
import os
import subprocess
import sys

import pytest

from tests.migrated import put_database

# Operations that each command must have been killed at for the test to mean anything.
MUST_MEET = {
    "push": ["_write", "RowKeyValueStore.update", "InProcessViewer.fetch", "manifest.json"],
    "promote": ["RowKeyValueStore.update", "InProcessViewer.fetch", "_write"],
    "prune": ["manifest.json", "releases/", "assets/", "FolderStore.list", "_write"],
    "rollback": ["RowKeyValueStore.update", "InProcessViewer.fetch", "_write"],
}


@pytest.mark.every_step
@pytest.mark.parametrize("command", sorted(MUST_MEET))
def test_process_is_killed_at_every_store_operation(command, tmp_path):
    environ = {
        **os.environ,
        "DATA_DIR": str(tmp_path),
        "DATABASE_URL": f"sqlite:///{tmp_path}/db.sqlite3",
        "EDGE_BACKEND": "local",
        "EDGE_PROBE_SECONDS": "0",
    }
    put_database(tmp_path)
    done = subprocess.run(
        [sys.executable, "-m", "tests.deployments.killing", command],
        env=environ,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    operations = json.loads(done.stdout.splitlines()[-1])
    for wanted in MUST_MEET[command]:
        assert any(wanted in operation for operation in operations), operations
