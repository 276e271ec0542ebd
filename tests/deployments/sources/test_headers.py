import pytest

from deployments.errors import Refused
from deployments.models import Release
from deployments.releases.manifest import from_bytes
from deployments.sources.headers import HeaderRule, parse_rules, with_rules
from tests.deployments.sites import PAGES

IMMUTABLE = "public, max-age=31536000, immutable"


def ruled(text, *paths):
    """Apply a `_headers` file to files. Return their artifacts by path."""
    files = [from_bytes(path, b"x") for path in paths]
    rules = parse_rules(text.encode())
    return {file.artifact.path: file.artifact for file in with_rules(rules, files)}


def refusal(text, *paths):
    with pytest.raises(Refused) as refused:
        ruled(text, *paths)
    assert refused.value.code == "headers-invalid"
    assert refused.value.hint
    return refused.value.message


def test_reads_paths_and_their_headers():
    text = (
        "# feeds\n\n/feed.xml\n"
        "  Content-Type: application/rss+xml; charset=utf-8\n"
        "\tcache-control:public,max-age=60\n"
        "  # of the whole site\n"
        "/a b/*\r\n  Cache-Control: no-store\r\n"
    )
    assert parse_rules(b"\xef\xbb\xbf" + text.encode()) == (
        HeaderRule(
            3,
            "/feed.xml",
            {
                "content-type": "application/rss+xml; charset=utf-8",
                "cache-control": "public,max-age=60",
            },
        ),
        HeaderRule(7, "/a b/*", {"cache-control": "no-store"}),
    )


def test_overrides_the_defaults_of_matching_paths():
    text = "/feed\n Content-Type: application/rss+xml\n/book/*\n Cache-Control: no-store\n"
    found = ruled(text, "feed", "book/index.html", "index.html")
    assert found["feed"].content_type == "application/rss+xml"
    assert found["feed"].cache_control.startswith("public, max-age=0")
    assert found["book/index.html"].cache_control == "no-store"
    assert found["book/index.html"].content_type == "text/html; charset=utf-8"
    assert found["index.html"] == from_bytes("index.html", b"x").artifact


@pytest.mark.parametrize(
    ("pattern", "path", "matches"),
    [
        ("/", "index.html", True),
        ("/index.html", "index.html", True),
        ("/book", "book/index.html", True),
        ("/book/", "book/index.html", True),
        ("/book/index.html", "book/index.html", True),
        ("/*", "a/b.txt", True),
        ("/*.txt", "a/b.txt", True),
        ("/a/*/c.txt", "a/b/b/c.txt", True),
        ("/aa*a", "aa", False),
        ("/a.txt", "aXtxt", False),
        ("/book", "book/other.html", False),
        ("/", "book/index.html", False),
    ],
)
def test_patterns(pattern, path, matches):
    text = f"{pattern}\n Cache-Control: no-store\n"
    if matches:
        assert ruled(text, path)[path].cache_control == "no-store"
    else:
        assert "which matches no file" in refusal(text, path)


def test_the_last_rule_that_sets_a_header_wins():
    text = "/*\n Cache-Control: no-store\n Content-Type: text/x\n/a\n Cache-Control: no-cache\n"
    found = ruled(text, "a")["a"]
    assert (found.cache_control, found.content_type) == ("no-cache", "text/x")


def test_assets_stay_immutable_and_may_have_another_type():
    text = (
        "/*\n Cache-Control: no-store\n/assets/*\n Cache-Control: immutable,max-age=31536000, "
        "Public\n/assets/a.0123abcd.bin\n Content-Type: font/woff2\n"
    )
    found = ruled(text, "index.html", "assets/a.0123abcd.bin")
    assert found["index.html"].cache_control == "no-store"
    assert found["assets/a.0123abcd.bin"].cache_control == IMMUTABLE
    assert found["assets/a.0123abcd.bin"].content_type == "font/woff2"


def test_refuses_another_cache_rule_for_assets():
    message = refusal(
        "# all\n/*\n Cache-Control: no-store\n", "index.html", "assets/a.0123abcd.bin"
    )
    assert message.startswith("Line 2 of _headers sets a cache rule for assets/a.0123abcd.bin")


def test_refuses_a_rule_that_matches_no_file():
    assert refusal("/feed\n Content-Type: text/x\n", "a") == (
        "Line 1 of _headers has /feed, which matches no file."
    )


def test_other_headers_are_refused_with_a_pointer_to_the_environment():
    with pytest.raises(Refused) as refused:
        ruled("/*\n X-Frame-Options: DENY\n", "a")
    assert "Line 2 of _headers sets 'x-frame-options'" in refused.value.message
    assert "manage.py environment set NAME --header" in refused.value.hint


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (" Cache-Control: no-store\n", "Line 1 of _headers comes before any path"),
        ("/a\n\n/b\n Cache-Control: no-store\n", "Line 1 of _headers has no headers"),
        ("/a\nCache-Control: no-store\n", "Line 2 of _headers is 'Cache-Control: no-store'"),
        ("https://x/a\n Cache-Control: no-store\n", "Line 1 of _headers is 'https://x/a'"),
        ("/a/*/b/*\n Cache-Control: no-store\n", "which is not a path or pattern"),
        ("/a/:name\n Cache-Control: no-store\n", "which is not a path or pattern"),
        ("/a\n ! Cache-Control\n", "expected 'Name: value'"),
        ("/a\n Cache-Control\n", "expected 'Name: value'"),
        ("/a\n Cache-Control:\n", "Line 2 of _headers has '', which is not a valid cache-control"),
        ("/a\n Cache-Control: a b\n", "which is not a valid cache-control"),
        ("/a\n Cache-Control: a,,b\n", "which is not a valid cache-control"),
        ("/a\n Cache-Control: a\rb\n", "which is not a valid cache-control"),
        ('/a\n Cache-Control: a="\x00"\n', "which is not a valid cache-control"),
        ("/a\n Content-Type: html\n", "which is not a valid content-type"),
        ("/a\n Content-Type: text/hté\n", "which is not a valid content-type"),
        (f"/a\n Content-Type: text/{'x' * 200}\n", "which is not a valid content-type"),
        ("/a\n Cache-Control: a\n cache-control: b\n", "Line 3 of _headers sets cache-control a"),
        ("/a\n Cache-Control: a\n" * 101, "Line 201 of _headers exceeds the limit of 100 rules"),
        ("#" * 70_000, "more than 64 KiB"),
    ],
    ids=range(19),
)
def test_refuses_invalid_lines(text, expected):
    assert expected in refusal(text, "a")


def test_refuses_other_encodings():
    with pytest.raises(Refused, match="Line 2 of _headers is not UTF-8"):
        parse_rules(b"/a\n\xff: x\n")


def site(**files):
    """Return the texts of a small site with an asset, and more files."""
    return {path: path for path in PAGES} | {"assets/a.0123456789ab.bin": "x"} | files


def test_changed_headers_make_another_release(operator, backend):
    before = operator.release_of(site())
    after = operator.release_of(site(_headers="/book/\n Cache-Control: no-store\n"))
    assert after != before
    caches = [backend.objects.head(r.key("book/index.html")).cache_control for r in (before, after)]
    assert caches == ["public, max-age=0, must-revalidate", "no-store"]
    assert operator.release_of(site()) == before


def test_an_asset_may_keep_the_type_it_is_stored_with(operator, backend):
    rules = "/assets/*.bin\n Content-Type: font/woff2\n"
    first = operator.release_of(site(_headers=rules))
    other = operator.release_of(site(_headers=rules, **{"more.txt": "x"}))
    assert first != other
    assert backend.objects.head("assets/a.0123456789ab.bin").content_type == "font/woff2"


def test_refuses_another_type_for_an_asset_that_releases_share(operator, backend):
    operator.release_of(site())
    with pytest.raises(Refused) as refused:
        operator.release_of(site(_headers="/assets/*.bin\n Content-Type: font/woff2\n"))
    assert refused.value.code == "asset-headers"
    assert "stored as application/octet-stream with public" in refused.value.message
    assert "not as font/woff2" in refused.value.message
    assert Release.objects.count() == 1
    stored = backend.objects.head("assets/a.0123456789ab.bin")
    assert stored.content_type == "application/octet-stream"
