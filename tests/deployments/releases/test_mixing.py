"""What push says about scripts and stylesheets that have no hash in their names."""

import pytest

from deployments.push import push
from deployments.releases.manifest import from_bytes
from deployments.releases.mixing import mixing_lines
from tests.deployments.sites import write_site

FILES = ("style.css", "app.js", "menu.mjs", "a b.css", "logo.svg", "assets/app.0123abcd.js")


def lines(page):
    names = dict.fromkeys(FILES, b"x")
    return mixing_lines(
        [from_bytes(path, body) for path, body in {"index.html": page, **names}.items()]
    )


def test_says_how_many_the_first_page_refers_to():
    page = b"""<LINK rel=stylesheet href="style.css?v=3"><script src=./app.js></script>
        <link rel=modulepreload href='/menu.mjs'><link data-x="1" href="a%20b.css#x">
        <script src="/app.js">"""
    (line,) = lines(page)
    assert line.startswith("Site: index.html refers to 4 scripts and stylesheets without a hash;")


@pytest.mark.parametrize(
    "page",
    [
        b'<script src="/assets/app.0123abcd.js"></script>',
        b'<img src="logo.svg"><a href="/">Home</a>',
        b'<script src="https://elsewhere.example.com/app.js"></script>',
        b'<script src="https://[oops/app.js"></script><link href="gone.css">',
        b'<![odd[<scripted src="app.js"><link href=',
        b'<!-- <script src="app.js"></script> --> \xff',
    ],
)
def test_says_nothing_without_one(page):
    assert lines(page) == []


def test_reads_odd_pages_quickly():
    # Seconds, if each comment without an end were searched for one.
    assert lines(b'<!-- <script src="app.js">' * 100_000) == []


def test_needs_a_first_page():
    assert mixing_lines([from_bytes("book/index.html", b'<script src="/app.js">')]) == []


def test_push_says_it(operator, backend, staging, tmp_path):
    folder = write_site(tmp_path / "site")
    (folder / "index.html").write_text('<!doctype html><script src="/app.js"></script>')
    (folder / "app.js").write_text("1")
    push(backend, staging, caller=operator.caller, source=folder)
    assert "Site: index.html refers to 1 script or stylesheet without a hash" in str(operator.said)
