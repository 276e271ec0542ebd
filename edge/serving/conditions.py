"""Conditional and ranged requests: which status, headers and bytes answer them.

Source: RFC 9110, sections 8.8 (validators), 13 (conditional requests) and 14 (ranges).
"""

import re
from collections.abc import Mapping
from typing import NamedTuple

# No file has a larger offset, and int() rejects thousands of digits.
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})$", re.ASCII)

Lines = list[tuple[str, str]]


class Selected(NamedTuple):
    """The answer to a request for some bytes; its body is those from `start` up to `end`."""

    status: int
    headers: Lines
    start: int = 0
    end: int = 0


def asked_range(method: str, conditions: Mapping[str, str]) -> str | None:
    """Return the Range header of a GET; HEAD has none."""
    return conditions.get("HTTP_RANGE") if method == "GET" else None


def select(
    *, size: int, etag: str, headers: Lines, method: str, conditions: Mapping[str, str]
) -> Selected:
    """Select what answers GET or HEAD for `size` bytes.

    `headers` are those of the whole, without Content-Length. `conditions` has the HTTP_ keys of a
    WSGI environ.
    """
    known = conditions.get("HTTP_IF_NONE_MATCH")
    if known and is_known(etag, known):
        return Selected(304, headers)
    asked = asked_range(method, conditions)
    span = None
    if asked and conditions.get("HTTP_IF_RANGE", etag) == etag:
        span = parse_range(asked, size)
    if span is None:  # several ranges, or another unit: the whole object is a valid response
        whole = [("content-length", str(size)), *headers]
        return Selected(200, whole, 0, 0 if method == "HEAD" else size)
    start, end = span
    if start >= end:
        return Selected(416, [("content-length", "0"), ("content-range", f"bytes */{size}")])
    position = ("content-range", f"bytes {start}-{end - 1}/{size}")
    return Selected(206, [("content-length", str(end - start)), position, *headers], start, end)


def is_known(etag: str, header: str) -> bool:
    """Whether an If-None-Match header matches an ETag, by weak comparison."""
    if header == etag or header.strip() == "*":
        return True
    opaque = etag.removeprefix("W/")
    return any(item.strip().removeprefix("W/") == opaque for item in header.split(","))


def parse_range(header: str, size: int) -> tuple[int, int] | None:
    """Return a byte range as [start, end): empty if it cannot be satisfied, None to ignore it."""
    match = _RANGE.match(header.strip())
    if not match or match.groups() == ("", ""):
        return None
    first, last = match.groups()
    if not first:  # the last N bytes
        return max(0, size - int(last)), size if int(last) else 0
    if last and int(last) < int(first):
        return None
    return int(first), min(size, int(last) + 1) if last else size
