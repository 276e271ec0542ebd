"""Durations as people write them at a shell: `30m`, `12h`, `7d`; waits in seconds."""

import math
import re
from argparse import ArgumentTypeError
from datetime import timedelta

_UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}


def duration(text: str) -> timedelta:
    """Read minutes, hours or days. Raises ArgumentTypeError."""
    found = re.fullmatch(r"([1-9][0-9]{0,4})([mhd])", text)
    if found is None:
        raise ArgumentTypeError(f"{text!r} is no duration: expected for example 30m, 12h or 7d")
    return int(found[1]) * _UNITS[found[2]]


def seconds(text: str) -> float:
    """Read how long to wait: `60`, `0.5`. Raises ArgumentTypeError."""
    try:
        found = float(text)
    except ValueError:
        found = math.nan
    if not (math.isfinite(found) and found >= 0):
        raise ArgumentTypeError(f"{text!r} is no number of seconds: expected for example 60")
    return found
