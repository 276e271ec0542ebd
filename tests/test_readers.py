"""Readers load whole pages during switches: a short run of bench/readers.py."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def test_no_page_mixes_releases_or_lacks_a_file():
    # The edge polls four times a second; a few switches could all happen between two polls.
    done = subprocess.run(
        [sys.executable, "bench/readers.py", "--switches", "40", "--readers", "6"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found = re.search(r"\((\d+) of A, (\d+) of B\), \d+ requests, 0 faults", done.stdout)
    # Readers saw both releases; otherwise the run proves nothing.
    assert found
    assert all(int(count) > 0 for count in found.groups())
