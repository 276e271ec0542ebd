"""Serves a stored object over HTTP: from memory and compressed, or as a stream.

Sources: RFC 9110, section 12.5.3 (Accept-Encoding); CloudFront's developer guide, "Serving
compressed files" (types and sizes).
"""

import gzip
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import brotli

from edge.protocols import ByteStream, ObjectInfo, ObjectStore, StoredObject
from edge.serving.conditions import Lines, asked_range, select
from edge.serving.lifetimes import rule_for_viewers

_TEXT = re.compile(
    r"text/|application/(?:javascript|json|manifest\+json|xml|xhtml\+xml|rss\+xml|wasm)|image/svg"
)
COMPRESSED_BYTES = range(1_000, 10_000_001)
# Objects above this are streamed, unless the answer is compressed.
STREAMED_BYTES = 1_000_000
_BROTLI_QUALITY = 5
_GZIP_LEVEL = 6
# Size of the two compressed copies: text shrinks to about a third.
_COPIES_SHARE = 0.7


class Response(NamedTuple):
    """A response to a viewer. Header names are in lower case; who sends a stream closes it."""

    status: int
    headers: Lines
    body: bytes | ByteStream
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
        self._stored = stored
        self._common = _common_headers(stored.info)
        self.compressible = is_compressible(stored.info)
        self._variants: dict[str, _Variant] = {}
        self.cache_control = stored.info.cache_control
        self.etag = stored.info.etag
        self.weight = int(len(stored.body) * (1 + _COPIES_SHARE * self.compressible)) + 1_000

    def respond(self, *, method: str, conditions: Mapping[str, str]) -> Response:
        """Return the response to GET or HEAD. `conditions` has the HTTP_ keys of a WSGI environ."""
        encoding = _wanted_encoding(method, conditions) if self.compressible else ""
        variant = self._variant(encoding)
        selected = select(
            size=len(variant.body),
            etag=variant.etag,
            headers=variant.headers,
            method=method,
            conditions=conditions,
        )
        body = variant.body[selected.start : selected.end]
        return Response(selected.status, selected.headers, body)

    def _variant(self, encoding: str) -> _Variant:
        variant = self._variants.get(encoding)
        if variant is None:
            # Two threads may both make it, with the same result.
            variant = self._variants[encoding] = self._encoded(encoding)
        return variant

    def _encoded(self, encoding: str) -> _Variant:
        body, etag = _compress(self._stored.body, encoding), self._stored.info.etag
        headers = [*self._common, ("accept-ranges", "bytes")]
        if encoding:
            # The bytes differ from the stored ones, so a strong validator would be wrong.
            etag = f"W/{etag}"
            headers.append(("content-encoding", encoding))
        return _Variant(body, etag, [*headers, ("etag", etag)])


def is_compressible(info: ObjectInfo) -> bool:
    """Whether CloudFront would compress an object."""
    return bool(info.size in COMPRESSED_BYTES and _TEXT.match(info.content_type))


def is_streamed(info: ObjectInfo, *, method: str, conditions: Mapping[str, str]) -> bool:
    """Whether the body is to be sent piece by piece, and never held in memory."""
    if info.size <= STREAMED_BYTES:
        return False
    return not (is_compressible(info) and _wanted_encoding(method, conditions))


def stream(
    objects: ObjectStore, info: ObjectInfo, *, method: str, conditions: Mapping[str, str]
) -> Response:
    """Return the response to GET or HEAD whose body is read from the store while it is sent.

    Only the bytes that were asked for are read. Raises ObjectMissing, StaleEtag.
    """
    headers = [*_common_headers(info), ("accept-ranges", "bytes"), ("etag", info.etag)]
    selected = select(
        size=info.size, etag=info.etag, headers=headers, method=method, conditions=conditions
    )
    status, lines, start, end = selected
    if start == end:
        return Response(status, lines, b"")
    return Response(
        status, lines, objects.open_part(info.key, start=start, end=end, if_match=info.etag)
    )


def error_page(page: StoredObject, rule: str) -> Response:
    """Return a "not found" with a page, without validators and ranges. `rule`: Cache-Control."""
    headers = [("content-length", str(len(page.body))), *_common_headers(page.info, rule)]
    return Response(404, headers, page.body)


def _common_headers(info: ObjectInfo, rule: str = "") -> Lines:
    return [
        ("content-type", info.content_type),
        ("cache-control", rule or rule_for_viewers(info.cache_control)),
        *((f"x-amz-meta-{name}", value) for name, value in info.metadata.items()),
        *([("vary", "Accept-Encoding")] if is_compressible(info) else []),
    ]


def _wanted_encoding(method: str, conditions: Mapping[str, str]) -> str:
    """Return the encoding of a compressible object: a range is of its plain bytes."""
    if asked_range(method, conditions):
        return ""
    return best_encoding(conditions.get("HTTP_ACCEPT_ENCODING", ""))


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
