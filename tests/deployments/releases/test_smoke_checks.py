import json

import pytest

from deployments.errors import Refused
from deployments.releases.smoke_checks import (
    SmokeCheck,
    checks_body,
    fault_of,
    parse_checks,
    read_checks,
)
from edge.protocols import ViewerResponse
from tests.deployments.doubles import Counting
from tests.deployments.sites import PAGES

BOOK = {"path": "/book/", "status": 200, "text": "Book a pickup"}


def body(*rows):
    return json.dumps(rows).encode()


def site(*rows):
    """Return the texts of a small site with checks."""
    return {path: path for path in PAGES} | {"checks.json": body(*rows).decode()}


def test_reads_path_status_and_text():
    assert parse_checks(body(BOOK, {"path": "/gone/", "status": 404})) == (
        SmokeCheck("/book/", 200, "Book a pickup"),
        SmokeCheck("/gone/", 404, ""),
    )


def test_status_defaults_to_200_and_text_is_optional():
    assert parse_checks(body({"path": "/"})) == (SmokeCheck("/", 200, ""),)


@pytest.mark.parametrize(
    "path", ["/", "/book", "/a%20b.txt", "/track?token=x", "/.well-known/x", "/a..b"]
)
def test_accepts_paths_as_browsers_send_them(path):
    assert parse_checks(body({"path": path}))[0].path == path


def test_round_trip():
    checks = (SmokeCheck("/", text="Größe"), SmokeCheck("/x", 404))
    assert parse_checks(checks_body(checks)) == checks
    assert checks_body(checks) == checks_body(parse_checks(checks_body(checks)))


def test_refuses_to_write_invalid_checks():
    """Composing a release merges the checks of two releases."""
    with pytest.raises(Refused, match="lists 51 checks"):
        checks_body([SmokeCheck("/")] * 51)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"{", "is not JSON"),
        (b"\xff", "is not JSON"),
        (b"[" * 100_000, "is not JSON"),
        (b'{"path": "/"}', "is not a list"),
        (b'["/"]', "entry 1 has no path"),
        (b'[{"path": "/"}, {"status": 200}]', "entry 2 has no path"),
        (body({"path": "/", "txt": "x"}), "unknown key 'txt'"),
        (body({"path": "/", "status": "200"}), 'the status "200"'),
        (body({"path": "/", "status": True}), "the status true"),
        (body({"path": "/", "status": 99}), "the status 99"),
        (body({"path": "/", "text": 5}), "the text 5"),
        (body({"path": "/", "text": "\ud800"}), "the text"),
        (body({"path": "/", "text": "x" * 1_001}), "at most 1,000 characters"),
        (body(*[BOOK] * 51), "lists 51 checks; the limit is 50"),
        (b" " * 300_000, "larger than 256 KiB"),
    ],
    ids=range(15),
)
def test_refuses_invalid_checks(content, expected):
    with pytest.raises(Refused) as refused:
        parse_checks(content)
    assert refused.value.code == "checks-invalid"
    assert expected in refused.value.message
    assert refused.value.hint


@pytest.mark.parametrize(
    "path",
    ["", "book/", "//book/", "/a b", "/a\\b", "/a#b", "/ü", "/../a", "/a/..", "/a/./b", "/a\n", 5],
)
def test_refuses_odd_paths(path):
    with pytest.raises(Refused, match="expected one as browsers send it"):
        parse_checks(body({"path": path}))


@pytest.mark.parametrize("path", ["/healthz", "/admin/login/", "/book/request/?x=1"])
def test_refuses_paths_that_no_release_answers(path):
    with pytest.raises(Refused, match="which is answered by the application"):
        parse_checks(body({"path": path}))


@pytest.mark.parametrize(
    ("status", "page", "fault"),
    [
        (200, b"<h1>Book a pickup</h1>", ""),
        (404, b"<h1>Book a pickup</h1>", "/book/ answered 404, expected 200"),
        (200, b"<h1>Oops</h1>", "/book/ does not contain 'Book a pickup'"),
    ],
)
def test_fault_of_a_response(status, page, fault):
    answer = ViewerResponse(status=status, headers={}, body=page)
    assert fault_of(SmokeCheck(**BOOK), answer) == fault


def test_checks_are_read_from_the_release(operator, backend):
    release = operator.release_of(site(BOOK))
    objects = Counting(backend.objects)
    assert read_checks(objects, release) == (SmokeCheck(**BOOK),)
    assert objects.calls == {"get": 1}


def test_a_release_may_have_no_checks(operator, backend):
    assert read_checks(backend.objects, operator.release()) == ()
