"""Comparing releases: how each path differs, in text and JSON."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from deployments.errors import Refused
from deployments.models import Release
from deployments.releases.diff import (
    Change,
    compare_manifests,
    diff_releases,
    release_or_live,
    surface_of,
)
from deployments.releases.manifest import Artifact, Manifest

CACHE = "public"


def manifest(**contents):
    """Make a manifest of `path=(digest, size)`; a third value is the content type."""
    rows = [(path, *value, "text/html")[:4] for path, value in contents.items()]
    return Manifest.of(Artifact(*row, CACHE) for row in rows)


BEFORE = manifest(same=("a", 1), headers=("b", 2), changed=("c", 10), gone=("d", 100))
AFTER = manifest(
    same=("a", 1), headers=("b", 2, "text/plain"), changed=("e", 20), new=("f", 5), newer=("f", 5)
)


def test_every_differing_path_has_its_change():
    diff = compare_manifests(BEFORE, AFTER)
    assert {one.path: one.change for one in diff.differences} == {
        "changed": Change.CHANGED,
        "gone": Change.REMOVED,
        "headers": Change.HEADERS,
        "new": Change.ADDED,
        "newer": Change.ADDED,
    }
    assert (diff.bytes_before, diff.bytes_after) == (113, 33)


def test_text():
    line, surfaces = compare_manifests(BEFORE, AFTER).lines()
    assert line == "2 files added, 1 changed, 1 removed, -80 bytes; headers of 1 file change"
    assert surfaces == "Surfaces: home"


def test_text_if_only_headers_change():
    one = manifest(headers=("b", 2))
    other = manifest(headers=("b", 2, "text/plain"))
    assert compare_manifests(one, other).lines()[0] == "+0 bytes; headers of 1 file change"


def test_same_manifests_do_not_differ():
    diff = compare_manifests(AFTER, AFTER)
    assert not diff
    assert diff.lines() == ["No file differs"]


def test_json():
    answer = compare_manifests(BEFORE, AFTER).as_json()
    counts = {name: answer[name] for name in ("added", "changed", "removed", "headers")}
    assert counts == {"added": 2, "changed": 1, "removed": 1, "headers": 1}
    assert answer["files"][0] == {
        "path": "changed",
        "change": "changed",
        "bytes_before": 10,
        "bytes_after": 20,
    }
    assert json.loads(json.dumps(answer)) == answer


@pytest.mark.parametrize(
    ("path", "surface"),
    [
        ("index.html", "home"),
        ("about/index.html", "home"),
        ("book/index.html", "book"),
        ("bookish.txt", "home"),
        ("assets/x.0123456789ab.css", None),
    ],
)
def test_document_belongs_to_the_surface_above_it(path, surface):
    assert surface_of(path) == surface


def test_first_release_is_all_new(operator, backend):
    release = operator.release("A")
    diff = diff_releases(backend.objects, None, release)
    assert diff.counts["added"] == release.files
    assert diff.bytes_after == release.bytes


@pytest.mark.parametrize("damage", ["missing", "other", "broken"])
def test_release_without_its_manifest_is_refused(operator, backend, damage):
    release, other = operator.release("A"), operator.release("B")
    key = release.key("manifest.json")
    backend.objects.delete([key])
    if damage != "missing":
        body = {"other": b"[]", "broken": b"{"}[damage]
        backend.objects.put(key, body, content_type="application/json", cache_control=CACHE)
    with pytest.raises(Refused) as refused:
        diff_releases(backend.objects, release, other)
    assert refused.value.code == "objects-gone"


# The command


def run(*arguments):
    out = StringIO()
    call_command("diff", *arguments, stdout=out)
    return out.getvalue()


def test_command_takes_releases_and_environments(operator):
    first = operator.push("A", extra=2)
    operator.promote()
    second = operator.push("B", extra=2)
    by_name = json.loads(run(first.name, second.name, "--json"))
    assert (by_name["from"], by_name["to"], by_name["changed"]) == (first.name, second.name, 7)
    assert by_name["surfaces"] == ["home", "book", "track", "dashboard"]
    assert json.loads(run("production", "staging", "--json")) == by_name


def test_command_shows_40_paths_without_all(operator, production):
    first, second = (operator.release(mark, extra=100) for mark in "AB")
    short, whole = run(first.name, second.name), run(first.name, second.name, "--all")
    assert "and 65 more: add --all" in short
    assert "more/99.txt" not in short
    assert "more/99.txt" in whole
    assert "105 files changed" in whole


def test_command_says_when_nothing_differs(operator):
    release = operator.release("A")
    assert "No file differs" in run(release.name, release.name)


@pytest.mark.parametrize("name", ["20200101-000000-00000000", "staging"])
def test_command_refuses_an_unknown_release(db, name):
    with pytest.raises(CommandError) as refused:
        run(name, name)
    assert refused.value.returncode == 1
    assert "manage.py" in str(refused.value)


def test_release_is_found_by_its_commit(operator):
    first, second = operator.push("A"), operator.push("B")
    Release.objects.filter(pk=first.pk).update(commit="0123456789abcdef")
    Release.objects.filter(pk=second.pk).update(commit="0123456fffffffff")
    assert release_or_live("0123456789") == first
    assert release_or_live("0123456") == second  # the newest
    with pytest.raises(Refused) as refused:
        release_or_live("abcdef0")
    assert refused.value.code == "release-unknown"
