"""Serves a stored object over HTTP: validators, ranges, compression.

Sources: RFC 9110, sections 8.8 (validators), 12.5.3 (Accept-Encoding), 13 (conditional requests)
and 14 (ranges); CloudFront's developer guide, "Serving compressed files" (types and sizes).
"""

import gzip
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import brotli

from edge.protocols import StoredObject

_TEXT = re.compile(
    r"text/|application/(?:javascript|json|manifest\+json|xml|xhtml\+xml|rss\+xml|wasm)|image/svg"
)
COMPRESSED_BYTES = range(1_000, 10_000_001)
# No file has a larger offset, and int() rejects thousands of digits.
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})$", re.ASCII)
_BROTLI_QUALITY = 5
_GZIP_LEVEL = 6
# Size of the two compressed copies: text shrinks to about a third.
_COPIES_SHARE = 0.7

Lines = list[tuple[str, str]]


class Response(NamedTuple):
    """A response to a viewer. Header names are in lower case."""

    status: int
    headers: Lines
    body: bytes
    reason: str = ""


@dataclass(frozen=True, slots=True)
class _Variant:
    """One encoding of an object, with its headers."""

    body: bytes
    etag: str
    headers: Lines


class Representation:
    """An object that can be sent in any encoding; each is made once."""

    def __init__(self, stored: StoredObject) -> None:
        info = stored.info
        self._body = stored.body
        self._etag = info.etag
        self._common = [
            ("content-type", info.content_type),
            ("cache-control", info.cache_control),
            *((f"x-amz-meta-{name}", value) for name, value in info.metadata.items()),
        ]
        self.compressible = bool(
            len(stored.body) in COMPRESSED_BYTES and _TEXT.match(info.content_type)
        )
        if self.compressible:
            self._common.append(("vary", "Accept-Encoding"))
        self._variants: dict[str, _Variant] = {}
        self.cache_control = info.cache_control
        self.weight = int(len(stored.body) * (1 + _COPIES_SHARE * self.compressible)) + 1_000

    def respond(self, *, method: str, conditions: Mapping[str, str]) -> Response:
        """Return the response to GET or HEAD. `conditions` has the HTTP_ keys of a WSGI environ."""
        asked_range = conditions.get("HTTP_RANGE") if method == "GET" else None
        encoding = ""
        if self.compressible and not asked_range:
            encoding = best_encoding(conditions.get("HTTP_ACCEPT_ENCODING", ""))
        variant = self._variant(encoding)
        known = conditions.get("HTTP_IF_NONE_MATCH")
        if known and is_known(variant.etag, known):
            return Response(304, variant.headers[1:], b"")
        if asked_range and conditions.get("HTTP_IF_RANGE", variant.etag) == variant.etag:
            return self._part(variant, asked_range)
        return Response(200, variant.headers, b"" if method == "HEAD" else variant.body)

    def whole(self) -> Response:
        """Return a response without validators and ranges, for an error page."""
        headers = [("content-length", str(len(self._body))), *self._common]
        return Response(200, headers, self._body)

    def _variant(self, encoding: str) -> _Variant:
        variant = self._variants.get(encoding)
        if variant is None:
            # Two threads may both make it, with the same result.
            variant = self._variants[encoding] = self._encoded(encoding)
        return variant

    def _encoded(self, encoding: str) -> _Variant:
        body, etag = _compress(self._body, encoding), self._etag
        headers = [*self._common, ("accept-ranges", "bytes")]
        if encoding:
            # The bytes differ from the stored ones, so a strong validator would be wrong.
            etag = f"W/{etag}"
            headers.append(("content-encoding", encoding))
        # Content-Length comes first, so that a 304 can leave it out.
        return _Variant(body, etag, [("content-length", str(len(body))), *headers, ("etag", etag)])

    def _part(self, variant: _Variant, asked: str) -> Response:
        size = len(variant.body)
        span = parse_range(asked, size)
        if span is None:  # several ranges, or another unit: the whole object is a valid response
            return Response(200, variant.headers, variant.body)
        start, end = span
        if start >= end:
            headers = [("content-length", "0"), ("content-range", f"bytes */{size}")]
            return Response(416, headers, b"")
        headers = [
            ("content-length", str(end - start)),
            ("content-range", f"bytes {start}-{end - 1}/{size}"),
            *variant.headers[1:],
        ]
        return Response(206, headers, variant.body[start:end])


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


@lru_cache(maxsize=256)
def best_encoding(accept: str) -> str:
    """Return br, gzip or '' for an Accept-Encoding header; CloudFront prefers brotli too."""
    accepted: dict[str, float] = {}
    for part in accept.lower().split(","):
        name, _, parameter = part.strip().partition(";")
        accepted[name.strip()] = _quality(parameter)
    for encoding in ("br", "gzip"):
        if accepted.get(encoding, accepted.get("*", 0)) > 0:
            return encoding
    return ""


def _quality(parameter: str) -> float:
    name, _, value = parameter.replace(" ", "").partition("=")
    try:
        return float(value) if name == "q" else 1.0
    except ValueError:
        return 0.0


def _compress(body: bytes, encoding: str) -> bytes:
    if encoding == "br":
        compressed: bytes = brotli.compress(body, quality=_BROTLI_QUALITY)
        return compressed
    return gzip.compress(body, _GZIP_LEVEL, mtime=0) if encoding == "gzip" else body
