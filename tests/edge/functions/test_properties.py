"""Viewers cannot reach a private key, no matter what they send."""

import re
from urllib.parse import quote, unquote

from hypothesis import example, given, settings
from hypothesis import strategies as st

from edge.backends.local.objects import FolderStore
from edge.behaviours import behaviour_for
from edge.errors import KeyRefused
from edge.functions.shipped import function_source
from edge.runtime.event import ViewerRequest
from edge.runtime.quickjs import EdgeFunction
from edge.runtime.results import Generated, Rewritten
from edge.serving.conditions import parse_range
from tests.edge.functions.cases import LIVE, NOW, STAGED, STORE

REACHABLE = re.compile(
    rf"/(?:releases/(?:{LIVE}|{STAGED})/.+|assets/.*|\.well-known/.*|jobs/[0-9a-f]{{64}}\.json)",
    re.DOTALL,
)
PIECES = st.sampled_from(
    ["/", "..", ".", "%2e", "%2E%2e", "%2f", "%5c", "\\", "//", "track", "track-staging", "book",
     "assets", ".well-known", "registry", "jobs", "releases", LIVE, "audit", "jobs.json", ".json",
     ".html", "%", "%zz", "%00", "%c3%a9", "?token=", "?release=", "?release=live&", "&t=",
     "a b", "é", "-", "\n"]
)  # fmt: skip
PATHS = st.one_of(
    st.lists(st.one_of(PIECES, st.text(max_size=4)), max_size=12).map(lambda p: "/" + "".join(p)),
    st.text(max_size=40).map(lambda text: "/" + quote(text)),
    st.text(max_size=40),
)
FUNCTION = EdgeFunction(function_source())


def answer(path: str, cookie: str = ""):
    location, _, query = path.partition("?")
    request = ViewerRequest(location, (("host", "localhost"),), "GET", query, cookie)
    return FUNCTION.run_request(request, STORE, version="1", now=NOW)


@settings(max_examples=400, deadline=None)
@given(PATHS)
def test_every_path_is_answered_or_stays_below_a_public_prefix(path):
    result = answer(path)
    if isinstance(result, Generated):
        assert result.status in (301, 302, 400, 503)
        return
    assert REACHABLE.fullmatch(result.uri), result.uri
    key = unquote(result.uri[1:])
    assert not any(segment in (".", "..") for segment in key.split("/")), key
    assert not any(ord(char) < 32 or char in "\\\x7f" for char in key), key


@settings(max_examples=400, deadline=None)
@given(PATHS)
@example("/track/a.json")
@example("/track-staging/a.json")
@example("/track/%61.json")
@example("/assets/a.css")
@example("/.well-known/a")
def test_edge_keeps_for_long_only_what_no_switch_changes(path):
    result = answer(path)
    if isinstance(result, Rewritten) and behaviour_for(path.partition("?")[0]).minimum_ttl:
        assert result.uri.startswith((f"/releases/{LIVE}/", f"/releases/{STAGED}/"))


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=60), st.sampled_from(["/track.html?token=", "/track?t=", "/track/?token="]))
def test_redirect_stays_on_this_host(token, prefix):
    result = answer(prefix + quote(token))
    if isinstance(result, Generated) and result.status == 301:
        location = dict(result.headers)["location"]
        assert re.fullmatch(r"/track/[\w.!~*'()%-]+", location, re.ASCII), location
        assert unquote(location.removeprefix("/track/")) == token


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=60))
def test_no_random_text_is_a_valid_preview(text):
    safe = quote(text)
    result = answer("/", cookie=f"qdn_release={safe}")
    assert result.uri == f"/releases/{LIVE}/index.html"


@settings(max_examples=300, deadline=None)
@given(st.one_of(PATHS, st.text(max_size=30)))
def test_store_never_leaves_its_folder(tmp_path_factory, key):
    root = tmp_path_factory.getbasetemp() / "never-made"
    try:
        file = FolderStore(root)._file(key)
    except KeyRefused:
        return
    assert ".." not in file.parts
    assert file.is_relative_to(root)
    assert file != root


@settings(deadline=None)
@given(st.text(max_size=20), st.integers(0, 1000))
def test_range_is_within_the_object(header, size):
    span = parse_range(f"bytes={header}", size)
    assert span is None or span[0] >= span[1] or 0 <= span[0] < span[1] <= size
