"""Readers who load whole pages while an operator switches: a short run of bench/readers.py."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def test_no_page_is_of_two_releases_and_nothing_is_missing():
    # The edge looks four times a second what is live: fewer switches might all go by in between.
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
    # Both releases were seen, or nothing was tried.
    assert found
    assert all(int(count) > 0 for count in found.groups())
