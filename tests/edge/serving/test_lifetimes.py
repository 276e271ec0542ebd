"""How long the edge, and caches beyond it, keep a response."""

import hashlib
import re

import pytest

from edge.origins import ORIGIN_KEY
from edge.serving.lifetimes import rule_for_viewers
from tests.edge.builders import DOCUMENT_RULE, EARLIER_RULE, RELEASE, Machine, put
from tests.edge.functions.cases import TOKEN

JOB = f"jobs/{hashlib.sha256(TOKEN.encode()).hexdigest()}.json"
DOCUMENT = {"content_type": "application/json", "rule": "public, max-age=5"}
ASSET_RULE = "public, max-age=31536000, immutable"
HIT, MISS = "Hit from local edge", "Miss from local edge"


class SharedCache:
    """A cache in front of the edge, which keeps what RFC 9111 allows; no time passes in it."""

    def __init__(self, machine):
        self.machine, self.kept = machine, {}

    def ask(self, path):
        if path in self.kept:
            return self.kept[path]
        response = self.machine.ask(path)
        rule = dict(re.findall(r"([\w-]+)(?:=(\d+))?", response.headers["cache-control"]))
        lifetime = int(rule.get("s-maxage") or rule.get("max-age") or 0)
        is_kept = not rule.keys() & {"no-store", "no-cache", "private"}
        if is_kept and lifetime > int(response.headers.get("age", 0)):
            self.kept[path] = response
        return response


@pytest.fixture
def machine(tmp_path):
    return Machine(tmp_path / "store")


@pytest.fixture(params=[DOCUMENT_RULE, EARLIER_RULE], ids=["present", "earlier"])
def rule(request):
    """Return the rule with which documents are stored, now and by earlier versions."""
    return request.param


def test_cache_in_front_shows_every_switch(machine, rule):
    for name in (RELEASE, "other"):
        put(machine.objects, f"releases/{name}/index.html", name.encode(), rule=rule)
        put(machine.objects, f"releases/{name}/data.json", name.encode(), rule=rule)
    front = SharedCache(machine)
    for name in (RELEASE, "other") * 3:
        machine.route(name)
        assert [front.ask(path).body for path in ("/", "/data.json")] == [name.encode()] * 2
    assert front.kept == {}


def test_cache_in_front_does_not_keep_what_is_missing(machine, rule):
    put(machine.objects, "errors/404.html", b"Nothing here", rule=rule)
    front = SharedCache(machine)
    assert front.ask(f"/track/{TOKEN}.json").status == 404
    assert front.ask("/assets/a.css").status == 404
    put(machine.objects, JOB, b"{}", **DOCUMENT)
    put(machine.objects, "assets/a.css", b"a{}", rule=ASSET_RULE)
    assert front.ask(f"/track/{TOKEN}.json").body == b"{}"
    assert front.ask("/assets/a.css").body == b"a{}"
    assert set(front.kept) == {f"/track/{TOKEN}.json", "/assets/a.css"}


def test_cache_in_front_shows_every_deployment_by_copy(machine, rule):
    machine.route(keyvalues={f"{ORIGIN_KEY}localhost": "live/production/"})
    put(machine.objects, "live/production/404.html", b"Nothing here", rule=rule)
    front = SharedCache(machine)
    assert front.ask("/").status == 404
    for name in (b"first", b"second"):
        put(machine.objects, "live/production/index.html", name, rule=rule)
        machine.route(keyvalues={f"{ORIGIN_KEY}localhost": "live/production/"}, dropped=["/"])
        assert front.ask("/").body == name
    assert front.kept == {}


def test_viewers_get_the_rule_without_the_edges_own_lifetime(machine, rule):
    put(machine.objects, f"releases/{RELEASE}/index.html", rule=rule)
    for _ in ("miss", "hit"):
        assert machine.ask("/").headers["cache-control"] == DOCUMENT_RULE


@pytest.mark.parametrize("path", ["/", "/track/x", "/track-x/y.html", "/data.json"])
@pytest.mark.parametrize("rule", [DOCUMENT_RULE, "no-store", "private", ""])
def test_edge_keeps_files_of_a_release_whatever_viewers_are_told(machine, path, rule):
    name = {"/": "index.html", "/track/x": "track/index.html"}.get(path, path[1:])
    put(machine.objects, f"releases/{RELEASE}/{name}", rule=rule)
    assert [machine.ask(path).headers["x-cache"] for _ in range(2)] == [MISS, HIT]


@pytest.mark.parametrize("path", [f"/track/{TOKEN}.json", f"/track-staging/{TOKEN}.json"])
def test_edge_keeps_a_tracking_document_as_its_own_rule_says(machine, path):
    machine.route(keyvalues={"env:staging": machine.state.keyvalues["host:localhost"]})
    put(machine.objects, JOB, b"{}", **DOCUMENT | {"rule": "public, max-age=0"})
    assert [machine.ask(path).headers["x-cache"] for _ in range(2)] == [MISS, MISS]
    put(machine.objects, JOB, b"{}", **DOCUMENT)
    assert [machine.ask(path).headers["x-cache"] for _ in range(2)] == [MISS, HIT]
    assert machine.ask(path).headers["cache-control"] == "public, max-age=5"


@pytest.mark.parametrize("path", ["/assets/a.txt", "/assets/_astro/a.txt"])
def test_edge_keeps_files_that_releases_share_as_their_own_rule_says(machine, path):
    put(machine.objects, path[1:], rule="no-cache")
    assert [machine.ask(path).headers["x-cache"] for _ in range(2)] == [MISS, MISS]


def test_missing_page_carries_no_lifetime(machine):
    put(machine.objects, "errors/404.html", b"Nothing here", rule="public, max-age=3600")
    assert machine.ask("/missing").headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("stored", "shown"),
    [
        (EARLIER_RULE, DOCUMENT_RULE),
        ("public, S-MaxAge=60, max-age=5", "public, max-age=5"),
        ('s-maxage="60",max-age=5', "max-age=5"),
        ("s-maxage=60", "max-age=0"),
        (ASSET_RULE, ASSET_RULE),
        ("public,max-age=5", "public,max-age=5"),
        ("", ""),
    ],
)
def test_rule_for_viewers(stored, shown):
    assert rule_for_viewers(stored) == shown
