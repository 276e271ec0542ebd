"""Response headers of an environment."""

import re
from collections.abc import Mapping

from deployments.errors import Refused

_NAME = re.compile(r"[a-z][a-z0-9-]{0,99}")
LONGEST = 800  # characters; CloudFront takes more, the key-value store of a local edge does not
AT_MOST = 10
# The edge or the object decides these, or they frame the message.
_TAKEN = {
    "age", "cache-control", "connection", "content-encoding", "content-length", "content-range",
    "content-type", "date", "etag", "expires", "keep-alive", "last-modified", "location", "server",
    "set-cookie", "strict-transport-security", "trailer", "transfer-encoding", "upgrade", "vary",
    "via", "www-authenticate", "x-cache", "x-xss-protection",
}  # fmt: skip
_TAKEN_PREFIXES = ("x-amz-", "x-edge-", "access-control-")
# CloudFront has a field for these and takes nothing else.
_ONLY = {
    "x-content-type-options": ("nosniff",),
    "x-frame-options": ("DENY", "SAMEORIGIN"),
}


def parse_header(text: str) -> tuple[str, str]:
    """Return name and value of `Name: value`; the value may be empty. Raises Refused."""
    name, colon, value = text.partition(":")
    if not colon:
        raise _wrong(f"expected 'Name: value', found '{text}'")
    return name.strip().lower(), value.strip()


def merged_headers(own: Mapping[str, str], changes: Mapping[str, str | None]) -> dict[str, str]:
    """Return an environment's headers after changes, of which None removes one. Raises Refused."""
    for name, value in changes.items():
        if value is not None:
            _check(name, value)
    merged = {**own, **changes}
    kept = {name: value for name, value in merged.items() if value is not None}
    if len(kept) > AT_MOST:
        raise _wrong(f"an environment can have {AT_MOST} headers, found {len(kept)}")
    return kept


def _check(name: str, value: str) -> None:
    if not _NAME.fullmatch(name):
        raise _wrong(f"'{name}' is not the name of a header")
    if name in _TAKEN or name.startswith(_TAKEN_PREFIXES):
        raise _wrong(f"the edge decides the header {name}")
    if not value.isascii() or not (value.isprintable() or not value):
        raise _wrong(f"the value of {name} has characters that a header cannot carry")
    if len(value) > LONGEST:
        raise _wrong(f"the value of {name} has {len(value)} characters, at most {LONGEST} fit")
    if value and name in _ONLY and value not in _ONLY[name]:
        raise _wrong(f"{name} can be {' or '.join(_ONLY[name])}, found '{value}'")


def _wrong(fault: str) -> Refused:
    return Refused(
        "header-invalid",
        f"A response header cannot be set: {fault}.",
        "Write for example: --header \"Content-Security-Policy: default-src 'self'\". A header of "
        "single files belongs into _headers.",
    )
