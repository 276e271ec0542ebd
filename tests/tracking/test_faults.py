"""Publishing by several processes, some of them killed, into a store that fails now and then."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.every_step
ROOT = Path(__file__).resolve().parents[2]
SMALL = ["--changes", "150", "--jobs", "25", "--workers", "4", "--kills", "2"]


def test_every_document_is_the_newest_after_kills_and_failures():
    """Small, on SQLite; bench/publishing_faults.py does 10,000 changes on both databases."""
    environ = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    bench = [sys.executable, "-m", "bench.publishing_faults", *SMALL]
    done = subprocess.run(bench, cwd=ROOT, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr[-3000:]
    assert "2 killed" in done.stdout
