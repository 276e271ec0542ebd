"""Databases of processes under test: files that are migrated once for a whole test run."""

import fcntl
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# What this process has for itself, and an installation of its own must not inherit.
OURS = ("DATABASE_URL", "REDIS_URL", "DATA_DIR", "DEBUG", "EDGE_BACKEND", "SITE_URL")


def put_database(data_dir):
    """Put a migrated database into the DATA_DIR of an installation.

    The workers of a run share one, if the folder is in one of pytest's own.
    """
    made = _run_folder(data_dir) / "migrated"
    made.mkdir(exist_ok=True)
    file = made / "db.sqlite3"
    with (made / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (made / "done").exists():
            _migrate(made)
            (made / "done").touch()
    data_dir.mkdir(exist_ok=True)
    shutil.copy(file, data_dir)


def _run_folder(folder):
    """Return the folder of the test run: `pytest-7` of .../pytest-of-ann/pytest-7/site0/var."""
    own = (one for one in folder.parents if one.parent.name.startswith("pytest-of-"))
    return next(own, folder.parent)


def _migrate(data_dir):
    inherited = {name: value for name, value in os.environ.items() if name not in OURS}
    environ = {**inherited, "DATA_DIR": str(data_dir), "PYTHONWARNINGS": "error"}
    command = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
    subprocess.run(command, cwd=ROOT, env=environ, stdin=subprocess.DEVNULL, check=True)
