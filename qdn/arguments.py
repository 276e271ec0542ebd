"""What people type after a command: how many rows, which source.

All raise ArgumentTypeError, so that argparse says what was expected before anything is done.
"""

import re
from argparse import ArgumentTypeError
from pathlib import Path


def row_count(text: str) -> int:
    """Read how many rows to list, 1 to 999,999."""
    if not re.fullmatch("0*[1-9][0-9]{0,5}", text, re.ASCII):
        raise ArgumentTypeError(f"{text!r} is no number of rows: expected 1 to 999999")
    return int(text)


def source_path(text: str) -> Path:
    """Read a path. Nothing at all, as of a shell variable that is not set, would be `.`."""
    if not text.strip():
        raise ArgumentTypeError("it is empty: expected a folder ('.' for this one) or an archive")
    return Path(text)
