"""Every file of a laid out source can be fetched, or the push is refused."""

import json
from urllib.parse import quote, unquote

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from deployments.errors import Refused
from deployments.releases.manifest import SITE, from_bytes
from deployments.releases.site import site_document
from deployments.sources.layout import compile_layout, lay_out
from deployments.sources.redirects import parse_redirects
from deployments.sources.site_file import SiteSettings, parse_site_file
from edge.functions.shipped import function_source
from edge.runtime.event import ViewerRequest
from edge.runtime.quickjs import EdgeFunction
from edge.runtime.results import Generated
from edge.sites import PAGE_NUMBERS, PAGES_AT_MOST, Rule, Site, bucket, known_pages, spread

RELEASE = "20260102-000000-aaaaaaaa"
FUNCTION = EdgeFunction(function_source())
SEGMENTS = st.sampled_from(
    ["a", "b", "docs", "track", "book", "dashboard", "assets", "static", "_next/static", "_astro",
     "v1.2", "node.js", "é", "a b", ".well-known", "x.0123abcd", "deep-BsTqAyZZ"]
)  # fmt: skip
NAMES = st.sampled_from(
    ["index.html", "about.html", "404.html", "LICENSE", "CNAME", "objects.inv", "data.tar.gz",
     "app.0123abcd.js", "index-BsTqAyZZ.css", "favicon.png", "jquery-3.7.1.min.js", "a.", "x.ÄÖ",
     "Report.DOCX", "photo-20240105.jpg", "feed", "node.js", "x.a|b", "x.%41", "app.css",
     "é-12345678.woff2", "robots.txt", "toString", "__proto__"]
)  # fmt: skip
PATHS = st.builds(
    lambda folders, name: "/".join([*folders, name]), st.lists(SEGMENTS, max_size=3), NAMES
)


def laid_out(paths, toml="", redirects=""):
    """Lay a source of empty files out; return its artifacts by path, document and rules."""
    files = [from_bytes(path, path.encode()) for path in sorted(paths)]
    stated = parse_site_file(toml.encode()) if toml else None
    placed = lay_out(files, stated, parse_redirects(redirects.encode()))
    body = next((one.body for one in placed if one.artifact.path == SITE), b'{"rules":[]}')
    rules = [Rule(s, t, code, p) for code, s, t, p in json.loads(body)["rules"]]
    return {one.artifact.path: one.artifact for one in placed}, site_document(placed), rules


def store_of(document, rules):
    """Return the keys after the release was made live."""
    routing = {"e": "production", "r": RELEASE, "p": "", "m": 0}
    if document:
        routing["d"] = document
    return {"host:x": json.dumps(routing), **spread(RELEASE, rules)[2]}


def ask(path, store):
    """Return the key that a path is rewritten to, or `<status> <location>`."""
    result = FUNCTION.run_request(ViewerRequest(path, (("host", "x"),)), store)
    if isinstance(result, Generated):
        return f"{result.status} {dict(result.headers).get('location', '')}"
    return unquote(result.uri[1:])


def answers(paths, asked, **options):
    """Return where each of the asked paths leads, without the release's prefix."""
    _, document, rules = laid_out(paths, **options)
    store = store_of(document, rules)
    return {one: ask(one, store).removeprefix(f"releases/{RELEASE}/") for one in asked}


@settings(max_examples=300, deadline=None)
@given(st.sets(PATHS, min_size=1, max_size=12))
@example({"index.html", "assets/é-12345678.woff2", "assets/x.%41"})
def test_every_file_is_served_or_refused(paths):
    try:
        artifacts, document, rules = laid_out(paths)
    except Refused as error:
        refused = error.message
    else:
        refused = ""
    if refused:
        assert any(path in refused for path in paths), refused
        return
    store = store_of(document, rules)
    for path, artifact in artifacts.items():
        assert ask(f"/{quote(path)}", store) == artifact.key(RELEASE), path


@settings(max_examples=100, deadline=None)
@given(st.sets(PATHS, min_size=1, max_size=12), st.booleans())
def test_every_page_in_a_folder_answers_at_its_url(paths, fallback):
    paths = paths | {"index.html"}
    try:
        _, document, rules = laid_out(paths, '[site]\nfallback = "/index.html"' if fallback else "")
    except Refused:  # see the test above
        return
    store = store_of(document, rules)
    for path in paths:
        if path.endswith("/index.html") and not path.startswith(("_next/static/", "_astro/")):
            url = f"/{quote(path.removesuffix('index.html'))}"
            assert ask(url, store) == f"releases/{RELEASE}/{path}"


def test_our_own_layout_needs_no_site_document():
    paths = {"index.html", "book/index.html", "track/index.html", "assets/site.0123456789ab.css"}
    assert SITE not in laid_out(paths)[0]


def test_unhashed_assets_belong_to_the_release():
    found = answers({"index.html", "assets/logo.png"}, ["/assets/logo.png"])
    assert found == {"/assets/logo.png": "assets/logo.png"}


def test_a_page_hidden_by_ours_is_refused_by_name():
    with pytest.raises(Refused, match=r"book/ch1/index\.html could never be fetched"):
        laid_out({"track/index.html", "book/index.html", "book/ch1/index.html"})


def test_a_site_with_folders_gets_a_slash():
    paths = {"index.html", "a/b/index.html", "genindex.html", "404.html"}
    assert answers(paths, ["/a/b", "/a/b/", "/genindex", "/genindex.html"]) == {
        "/a/b": "308 /a/b/",
        "/a/b/": "a/b/index.html",
        "/genindex": "genindex.html",
        "/genindex.html": "genindex.html",
    }


def test_a_flat_site_finds_its_folders():
    paths = {"index.html", "about.html", "more.html", "genindex.html", "ref/index.html"}
    assert answers(paths, ["/about", "/ref", "/ref/", "/"]) == {
        "/about": "about.html",
        "/ref": "308 /ref/",
        "/ref/": "ref/index.html",
        "/": "index.html",
    }


def test_single_page_application_of_vite_is_detected():
    paths = {"index.html", "assets/index-BsTqAyZZ.js", "vite.svg"}
    assert answers(paths, ["/users/5", "/vite.svg", "/assets/index-BsTqAyZZ.js"]) == {
        "/users/5": "index.html",
        "/vite.svg": "vite.svg",
        "/assets/index-BsTqAyZZ.js": "assets/index-BsTqAyZZ.js",
    }


def test_site_file_decides_against_the_detection():
    paths = {"index.html", "assets/index-BsTqAyZZ.js"}
    found = answers(paths, ["/users/5"], toml='[site]\nfallback = ""')
    assert found == {"/users/5": "users/5/index.html"}


def test_stated_folders_are_shared():
    artifacts, _, _ = laid_out({"index.html", "js/app.0123abcd.js"}, '[site]\nimmutable=["js/"]')
    assert artifacts["js/app.0123abcd.js"].key(RELEASE) == "assets/js/app.0123abcd.js"


def test_a_rewrite_of_every_path_is_the_fallback():
    found = answers({"index.html", "a.html"}, ["/x", "/a"], redirects="/* /index.html 200")
    assert found == {"/x": "index.html", "/a": "a.html"}


def test_redirects_are_found():
    found = answers(
        {"index.html", "new/index.html"},
        ["/old", "/old/", "/blog/1", "/old.html", "/x.css"],
        redirects="/old /new/\n/blog/* /new/ 302 # moved\n/old.html /new/\n",
    )
    assert found == {
        "/old": "301 /new/",
        "/old/": "301 /new/",
        "/blog/1": "302 /new/",
        "/old.html": "301 /new/",
        "/x.css": "x.css",
    }


def test_five_thousand_redirects_fit():
    text = "".join(f"/old/{number} /new/{number}/\n" for number in range(5_000))
    _, document, rules = laid_out({"index.html"}, redirects=text)
    store = store_of(document, rules)
    assert all(ask(f"/old/{n}", store) == f"301 /new/{n}/" for n in range(0, 5_000, 97))
    assert max(len(key) + len(value.encode()) for key, value in store.items()) < 1_024


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[site]\nfallbak = 1", "unknown key 'fallbak'"),
        ("[sites]\n", "unknown table 'sites'"),
        ("site = 1", "expected a table"),
        ("[site", "is not TOML"),
        ('[site]\nimmutable = "assets/"', "expected a list of folders"),
        ('[site]\nimmutable = ["../x"]', "'../x' as an immutable folder"),
        ('[site]\nfallback = "index"', "expected the path of a page"),
        ("[site]\nfallback = 5", "expected the path of a page"),
        ('[site]\ntrailing_slash = "yes"', "has trailing_slash = 'yes'"),
        ("[site]\ntrailing_slash = []", "has trailing_slash = []"),
    ],
)
def test_refuses_a_site_file(text, expected):
    with pytest.raises(Refused) as refused:
        parse_site_file(text.encode())
    assert expected in refused.value.message


def test_refuses_a_fallback_that_does_not_exist():
    with pytest.raises(Refused, match=r"The fallback /app\.html is not in the site"):
        compile_layout({"index.html"}, SiteSettings(fallback="/app.html"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/a", "Line 1 of _redirects has 1 parts"),
        ("/a /b 301 Country=at", "Line 1 of _redirects has 4 parts"),
        ("\n# x\na /b", "Line 3 of _redirects is for 'a'"),
        ("https://x/a /b", "is for 'https://x/a'"),
        ("/a/:id /b", "is for '/a/:id'"),
        ("/a/*/b /b", "is for '/a/*/b'"),
        ("/a* /b", "is for '/a*'"),
        ("/a b", "leads to 'b'"),
        ("/a //evil.example", "leads to '//evil.example'"),
        ("/a javascript:alert(1)", "leads to 'javascript:alert(1)'"),
        ("/a /b%zz", "leads to '/b%zz'"),
        ("/a /b/:splat", "leads to '/b/:splat'"),
        ("/a/* /b/:id", "leads to '/b/:id'"),
        ("/a /b 303", "has the status '303'"),
        ("/a /b 301!", "has the status '301!'"),
        ("/a https://x.example/ 200", "answers with 200 from another host"),
        ("/a /b\n/c /d\n/a /e", "Line 3 of _redirects repeats the path of line 1"),
        ("/a /b\n/a/ /e", "Line 2 of _redirects repeats the path of line 1"),
        ("/page /b", "Line 1 of _redirects is for /page, but page/index.html answers there"),
        ("/pages/* /b", "Line 1 of _redirects is for /pages/*, but pages/1/index.html answers"),
        ("/robots.txt /b", "but robots.txt answers there"),
        ("/a /nothing 200", "rewrites to /nothing, which is not in the release"),
        ("/a /b\n/b /c\n/c /a", "redirects in a circle"),
        ("/a /a/", "redirects in a circle"),
        ("/a/* /a/b/:splat", "redirects in a circle"),
        ("/* https://x.example/", "Line 1 of _redirects is for every path"),
        ("/* /gone.html 200", "The fallback /gone.html is not in the site"),
    ],
)
def test_refuses_redirects(text, expected):
    paths = {"index.html", "page/index.html", "pages/1/index.html", "robots.txt"}
    with pytest.raises(Refused) as refused:
        laid_out(paths, redirects=text)
    assert expected in refused.value.message


def test_refuses_redirects_that_are_not_text():
    with pytest.raises(Refused, match="Line 2 of _redirects is not UTF-8"):
        parse_redirects(b"/a /b\n\xff")


def test_refuses_too_many_redirects():
    text = "".join(f"/old/{number} /\n" for number in range(5_001))
    with pytest.raises(Refused, match="Line 5001 of _redirects exceeds the limit"):
        parse_redirects(text.encode())


def test_refuses_a_document_that_does_not_fit():
    paths = {"index.html", *(f"file.e{number:010}" for number in range(60))}
    with pytest.raises(Refused) as refused:
        laid_out(paths)
    assert refused.value.code == "site-too-odd"


def test_pages_beside_redirects_are_known():
    lines = parse_redirects(b"/old/gone /new/\n")
    paths = {"index.html", "new/index.html", "old/page/index.html", "old/caf\u00e9/index.html"}
    site = compile_layout(paths, SiteSettings(), lines).site
    assert site.pages == (bucket("/old/page/", PAGE_NUMBERS),)


def test_pages_beside_a_prefix_are_not_known():
    lines = parse_redirects(b"/old/gone/* /new/:splat\n/old/x /new/\n")
    paths = {"index.html", "new/index.html", "old/page/index.html"}
    assert compile_layout(paths, SiteSettings(), lines).site.pages == ()


def test_a_page_with_the_number_of_a_rule_is_not_known():
    pages = [f"/old/{number}/" for number in range(PAGES_AT_MOST)]
    twin = next(
        path for path in (f"/old/r{number}" for number in range(1_000_000))
        if bucket(path, PAGE_NUMBERS) == bucket(pages[0], PAGE_NUMBERS)
    )  # fmt: skip
    known = known_pages(pages, [Rule(twin, "/new/", 301)])
    assert len(known) == PAGES_AT_MOST - 1
    assert bucket(pages[0], PAGE_NUMBERS) not in known


def test_at_most_so_many_pages_are_known():
    pages = [f"/old/{number}/" for number in range(2 * PAGES_AT_MOST)]
    assert len(known_pages(pages, [Rule("/old/x", "/new/", 301)])) == PAGES_AT_MOST


def test_a_rule_spelled_in_several_ways_leaves_no_page_known():
    rules = [Rule("/old/caf\u00e9", "/new/", 301)]
    assert known_pages(["/old/page/"], rules) == ()


def test_known_pages_give_way_to_what_a_site_needs():
    pages = tuple(range(10_000, 10_000 + PAGES_AT_MOST))
    site = Site(immutable=tuple(f"/folder-{n}/" for n in range(15)), pages=pages)
    assert "k" not in site.as_document()
    assert "k" in Site(pages=pages).as_document()
