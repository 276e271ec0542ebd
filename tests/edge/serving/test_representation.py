"""Responses with a stored object: validators, ranges, compression."""

import gzip

import brotli
import pytest

from edge.protocols import ObjectInfo, StoredObject
from edge.serving.conditions import is_known, parse_range
from edge.serving.representation import Representation, best_encoding

TEXT = b"A line of text.\n" * 200


def make(body=TEXT, content_type="text/html; charset=utf-8", **metadata) -> Representation:
    info = ObjectInfo("k", len(body), '"tag"', content_type, "public, max-age=5", metadata)
    return Representation(StoredObject(info, body))


def ask(representation=None, method="GET", **conditions):
    """Return status, headers and body for headers by their WSGI names without HTTP_."""
    environ = {f"HTTP_{name}": value for name, value in conditions.items()}
    response = (representation or make()).respond(method=method, conditions=environ)
    headers = dict(response.headers)
    assert len(headers) == len(response.headers), "a header twice"
    return response.status, headers, response.body


def test_plain_get():
    status, headers, body = ask(make(release="r1"))
    assert (status, body) == (200, TEXT)
    assert headers == {
        "content-length": str(len(TEXT)),
        "content-type": "text/html; charset=utf-8",
        "cache-control": "public, max-age=5",
        "x-amz-meta-release": "r1",
        "vary": "Accept-Encoding",
        "accept-ranges": "bytes",
        "etag": '"tag"',
    }


def test_head_has_the_headers_of_get():
    assert ask(method="HEAD") == (*ask()[:2], b"")


def test_gzip():
    _, headers, body = ask(ACCEPT_ENCODING="gzip")
    assert gzip.decompress(body) == TEXT
    assert headers["content-encoding"] == "gzip"
    assert headers["content-length"] == str(len(body))
    assert headers["etag"] == 'W/"tag"'


def test_brotli_is_preferred():
    _, headers, body = ask(ACCEPT_ENCODING="gzip, deflate, br")
    assert headers["content-encoding"] == "br"
    assert brotli.decompress(body) == TEXT


def test_encoding_is_made_once():
    representation = make()
    assert (
        ask(representation, ACCEPT_ENCODING="br")[2] is ask(representation, ACCEPT_ENCODING="br")[2]
    )


@pytest.mark.parametrize(
    "content_type",
    ["text/css", "text/javascript", "application/javascript", "application/json", "image/svg+xml",
     "application/manifest+json"],
)  # fmt: skip
def test_text_types_are_compressed(content_type):
    assert "content-encoding" in ask(make(content_type=content_type), ACCEPT_ENCODING="br")[1]


@pytest.mark.parametrize("content_type", ["image/png", "font/woff2", "application/pdf"])
def test_other_types_are_not(content_type):
    _, headers, _ = ask(make(content_type=content_type), ACCEPT_ENCODING="br")
    assert "content-encoding" not in headers
    assert "vary" not in headers


def test_small_text_is_not_compressed():
    assert "content-encoding" not in ask(make(b"x" * 999), ACCEPT_ENCODING="br")[1]
    assert "content-encoding" in ask(make(b"x" * 1000), ACCEPT_ENCODING="br")[1]


@pytest.mark.parametrize(
    ("accept", "encoding"),
    [
        ("", ""), ("gzip", "gzip"), ("br", "br"), ("GZIP", "gzip"), ("*", "br"),
        ("gzip;q=1.0, br;q=0", "gzip"), ("br;q=0, *", "gzip"), ("identity", ""),
        ("gzip;q=0", ""), ("gzip; q = 0.5", "gzip"), ("gzip;q=x", ""), ("deflate, zstd", ""),
    ],
)  # fmt: skip
def test_choice_of_encoding(accept, encoding):
    assert best_encoding(accept) == encoding


# Conditional requests


@pytest.mark.parametrize("header", ['"tag"', 'W/"tag"', '"a", "tag"', '"a",W/"tag"', "*"])
@pytest.mark.parametrize("accept", ["", "br"])
def test_matching_etag_is_304(header, accept):
    status, headers, body = ask(IF_NONE_MATCH=header, ACCEPT_ENCODING=accept)
    assert (status, body) == (304, b"")
    assert headers["etag"].removeprefix("W/") == '"tag"'
    assert headers["cache-control"] == "public, max-age=5"
    assert "content-length" not in headers


@pytest.mark.parametrize("header", ['"other"', "tag", "", '"tag', '"a", "b"'])
def test_other_etag_is_200(header):
    assert ask(IF_NONE_MATCH=header)[0] == 200
    assert not is_known('"tag"', header)


# Ranges


@pytest.mark.parametrize(
    ("header", "start", "end"),
    [("bytes=0-9", 0, 10), ("bytes=10-", 10, len(TEXT)), ("bytes=-5", len(TEXT) - 5, len(TEXT)),
     ("bytes=0-99999", 0, len(TEXT)), ("bytes=-99999", 0, len(TEXT)), ("bytes=0-0", 0, 1)],
)  # fmt: skip
def test_range(header, start, end):
    status, headers, body = ask(RANGE=header, ACCEPT_ENCODING="br")
    assert (status, body) == (206, TEXT[start:end])
    assert headers["content-range"] == f"bytes {start}-{end - 1}/{len(TEXT)}"
    assert headers["content-length"] == str(end - start)
    assert headers["etag"] == '"tag"'
    assert "content-encoding" not in headers


@pytest.mark.parametrize("header", ["bytes=99999-", "bytes=-0", "bytes=3200-3201"])
def test_range_beyond_the_end_is_416(header):
    status, headers, body = ask(RANGE=header)
    assert (status, body) == (416, b"")
    assert headers["content-range"] == f"bytes */{len(TEXT)}"


# Python reads no number of more than 4,300 digits.
@pytest.mark.parametrize("header", ["bytes=0-%s", "bytes=%s-", "bytes=-%s", "bytes=%s-%s"])
def test_range_with_huge_numbers_is_ignored(header):
    endless = header.replace("%s", "9" * 5_000)
    assert ask(RANGE=endless)[0] == 200


@pytest.mark.parametrize(
    "header", ["bytes=0-1,5-6", "bytes=9-2", "bytes=-", "items=0-1", "bytes=a-b", "bytes", ""]
)
def test_unsupported_range_is_ignored(header):
    assert ask(RANGE=header)[0] == 200
    assert parse_range(header, 10) is None


def test_if_range_needs_the_strong_etag():
    assert ask(RANGE="bytes=0-1", IF_RANGE='"tag"')[0] == 206
    assert ask(RANGE="bytes=0-1", IF_RANGE='"other"')[0] == 200
    assert ask(RANGE="bytes=0-1", IF_RANGE='W/"tag"')[0] == 200
    assert ask(RANGE="bytes=0-1", IF_RANGE="Sat, 21 Nov 2026 00:00:00 GMT")[0] == 200


def test_range_is_for_get_only():
    assert ask(method="HEAD", RANGE="bytes=0-1")[0] == 200


def test_range_of_an_empty_object_is_416():
    assert ask(make(b""), RANGE="bytes=0-1")[0] == 416


def test_matching_etag_takes_precedence_over_a_range():
    assert ask(IF_NONE_MATCH='"tag"', RANGE="bytes=0-1")[0] == 304
