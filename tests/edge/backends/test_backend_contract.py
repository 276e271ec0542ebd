"""The contract of back ends; one behaviour per test."""

import hashlib
from contextlib import closing
from dataclasses import replace

import pytest

from edge.backends import get_backend, has_local_edge
from edge.errors import (
    ContentChanged,
    EdgeError,
    FunctionFailed,
    InvalidationsInProgress,
    LimitExceeded,
    ObjectMissing,
    StaleEtag,
)
from edge.functions.shipped import digest_of, function_name, function_source
from edge.protocols import NewObject
from edge.routing import RoutingDocument
from tests.edge.functions.cases import LIVE, Case

pytestmark = pytest.mark.django_db
TEXT = {"content_type": "text/plain", "cache_control": "public, max-age=5"}
NAME = function_name("production")


@pytest.fixture(params=["local", "aws"])
def backend(request, settings):
    settings.EDGE_BACKEND = request.param
    if request.param == "aws":
        request.getfixturevalue("aws")
    return get_backend()


@pytest.fixture
def distributions(request, backend):
    """Return the ids of two distributions."""
    if backend.name == "local":
        return ["main", "root"]
    aws = request.getfixturevalue("aws")
    return [aws.create_distribution(name) for name in ("main", "root")]


@pytest.fixture
def main(distributions):
    return distributions[0]


# Objects


def test_object_is_read_as_it_was_put(backend):
    backend.objects.put("a/b.txt", b"text", metadata={"release": "r1"}, **TEXT)
    stored = backend.objects.get("a/b.txt")
    assert stored.body == b"text"
    assert stored.info == backend.objects.head("a/b.txt")
    assert (stored.info.key, stored.info.size) == ("a/b.txt", 4)
    assert stored.info.content_type == "text/plain"
    assert stored.info.cache_control == "public, max-age=5"
    assert stored.info.metadata == {"release": "r1"}


def test_object_is_put_from_a_file(backend, tmp_path):
    (tmp_path / "file").write_bytes(b"from a file")
    assert backend.objects.put("a", tmp_path / "file", **TEXT).size == 11
    assert backend.objects.get("a").body == b"from a file"


def test_etag_is_the_quoted_md5(backend):
    info = backend.objects.put("a", b"text", **TEXT)
    assert info.etag == '"1cb251ec0d568de6a929b520c4aed8d1"'


def test_put_replaces(backend):
    backend.objects.put("a", b"old", metadata={"x": "1"}, **TEXT)
    backend.objects.put("a", b"new", **TEXT)
    assert backend.objects.get("a").body == b"new"
    assert backend.objects.head("a").metadata == {}


def test_put_replaces_only_the_object_that_was_meant(backend):
    objects = backend.objects
    first = objects.put("a", b"first", if_match="", **TEXT)
    second = objects.put("a", b"second", if_match=first.etag, **TEXT)
    for stale in ("", first.etag):
        with pytest.raises(StaleEtag):
            objects.put("a", b"third", if_match=stale, **TEXT)
    assert objects.get("a").body == b"second"
    objects.delete(["a"])
    with pytest.raises(StaleEtag):
        objects.put("a", b"third", if_match=second.etag, **TEXT)
    assert objects.head("a") is None


def test_key_can_be_below_another_key(backend):
    for key in ("a", "a/b", "a/b/c", "a~", "a~/b", "a%7E"):
        backend.objects.put(key, key.encode(), **TEXT)
    assert [backend.objects.get(o.key).body.decode() for o in backend.objects.list("a")] == [
        "a", "a%7E", "a/b", "a/b/c", "a~", "a~/b",
    ]  # fmt: skip


def test_empty_object_is_an_object(backend):
    backend.objects.put("empty", b"", **TEXT)
    assert backend.objects.get("empty").body == b""


def test_key_can_be_unicode(backend):
    backend.objects.put("fotos/müll.txt", b"x", **TEXT)
    assert [o.key for o in backend.objects.list("fotos/m")] == ["fotos/müll.txt"]


def test_list_is_by_prefix_and_in_order(backend):
    for key in ("releases/b/x", "releases/a/z", "releases/a/y", "releases-old/c", "other"):
        backend.objects.put(key, b"x", **TEXT)
    assert [o.key for o in backend.objects.list("releases/")] == [
        "releases/a/y", "releases/a/z", "releases/b/x",
    ]  # fmt: skip
    assert next(o.key for o in backend.objects.list("releases")) == "releases-old/c"
    assert [o.key for o in backend.objects.list("releases/a/y")] == ["releases/a/y"]
    assert len(list(backend.objects.list(""))) == 5


def test_list_has_size_and_etag(backend):
    info = backend.objects.put("a", b"text", **TEXT)
    (listed,) = backend.objects.list("a")
    assert (listed.size, listed.etag) == (4, info.etag)


def test_list_of_nothing_is_empty(backend):
    assert list(backend.objects.list("nothing/here")) == []
    assert list(backend.objects.list("../")) == []


def test_copy_keeps_the_type_and_has_new_metadata(backend):
    backend.objects.put("a", b"text", metadata={"release": "r1"}, **TEXT)
    info = backend.objects.copy("a", "b/c", metadata={"release": "r2"})
    assert info == backend.objects.head("b/c")
    assert (info.content_type, info.metadata) == ("text/plain", {"release": "r2"})
    assert backend.objects.get("b/c").body == b"text"
    assert backend.objects.head("a").metadata == {"release": "r1"}


def opened(backend, key, start, end, etag=""):
    etag = etag or backend.objects.head(key).etag
    return closing(backend.objects.open_part(key, start=start, end=end, if_match=etag))


def test_part_of_an_object(backend):
    backend.objects.put("a", b"0123456789", **TEXT)
    for start, end in ((0, 10), (0, 1), (3, 7), (9, 10)):
        with opened(backend, "a", start, end) as part:
            assert part.read() == b"0123456789"[start:end]


def test_part_is_read_piece_by_piece(backend):
    backend.objects.put("a", b"0123456789", **TEXT)
    with opened(backend, "a", 2, 9) as part:
        assert [part.read(3), part.read(3), part.read(3), part.read(3)] == [
            b"234", b"567", b"8", b"",
        ]  # fmt: skip


def test_part_is_of_the_object_that_was_looked_at(backend):
    before = backend.objects.put("a", b"old content", **TEXT)
    backend.objects.put("a", b"new content", **TEXT)
    with pytest.raises(StaleEtag):
        opened(backend, "a", 0, 3, before.etag)
    backend.objects.delete(["a"])
    with pytest.raises(ObjectMissing):
        opened(backend, "a", 0, 3, before.etag)
    with pytest.raises(ObjectMissing):
        opened(backend, "../a", 0, 3, before.etag)


@pytest.mark.parametrize("change", ["replaced", "deleted"])
def test_open_part_goes_on_with_the_former_bytes_or_ends(backend, change):
    size = 3 * 2**20
    backend.objects.put("a", b"o" * size, **TEXT)
    with opened(backend, "a", 0, size) as part:
        first = part.read(1000)
        if change == "replaced":
            backend.objects.put("a", b"n" * size, **TEXT)
        else:
            backend.objects.delete(["a"])
        rest = part.read()
    assert set(first + rest) == set(b"o")


# Many objects at once


def new_object(key, content=b"text", **fields):
    described = {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}
    fields = {"body": content, "metadata": {"release": "r1"}, **TEXT, **described, **fields}
    return NewObject(key=key, **fields)


def put_all(backend, *objects):
    """Write objects, and return the keys of those reported as stored."""
    stored = []
    backend.objects.put_all(objects, on_stored=lambda new: stored.append(new.key))
    return sorted(stored)


def test_many_objects_are_written_like_single_ones(backend, tmp_path):
    (tmp_path / "file").write_bytes(b"from a file")
    objects = [new_object(f"many/{n}.txt", b"%d" % n) for n in range(99)]
    objects.append(new_object("many/file", b"from a file", body=tmp_path / "file"))
    objects.append(new_object("many/müll & +%.txt", b""))
    assert put_all(backend, *objects) == sorted(new.key for new in objects)
    for new in objects[97:]:
        stored = backend.objects.get(new.key)
        assert hashlib.sha256(stored.body).hexdigest() == new.sha256
        assert stored.info.etag == f'"{hashlib.md5(stored.body).hexdigest()}"'
        assert (stored.info.content_type, stored.info.cache_control) == tuple(TEXT.values())
        assert stored.info.metadata == {"release": "r1"}


def test_put_all_of_nothing(backend):
    assert put_all(backend) == []


def test_copied_objects_have_their_own_headers(backend):
    backend.objects.put("müll/a b+c", b"text", **TEXT)
    new = new_object("b", copy_of="müll/a b+c", body=None, content_type="text/html")
    assert put_all(backend, new) == ["b"]
    stored = backend.objects.get("b")
    assert (stored.body, stored.info.content_type) == (b"text", "text/html")
    assert stored.info.metadata == {"release": "r1"}
    assert stored.info.cache_control == TEXT["cache_control"]


@pytest.mark.parametrize("source", [None, b"damaged"], ids=["gone", "other bytes"])
def test_object_without_a_source_is_written_from_the_body(backend, source):
    if source:
        put_all(backend, new_object("a", source))
    assert put_all(backend, new_object("b", copy_of="a")) == ["b"]
    assert backend.objects.get("b").body == b"text"
    with pytest.raises(ObjectMissing):
        put_all(backend, new_object("c", copy_of="a", body=None))


@pytest.mark.parametrize("found", [b"tex", b"TEXT", b"texts", None])
def test_file_that_changed_is_not_stored(backend, tmp_path, found):
    if found is not None:
        (tmp_path / "file").write_bytes(found)
    with pytest.raises(ContentChanged):
        put_all(backend, new_object("a", body=tmp_path / "file"))
    assert backend.objects.head("a") is None


def test_put_all_ends_with_the_first_error(backend):
    objects = [new_object(f"many/{n}") for n in range(500)]
    objects.insert(100, replace(objects[0], key="many/x", sha256="0" * 64))
    stored = []
    with pytest.raises(ContentChanged):
        backend.objects.put_all(objects, on_stored=lambda new: stored.append(new.key))
    stored = {one.key for one in backend.objects.list("many/")}
    assert set(stored) <= stored
    assert len(stored) < 300


def test_impossible_key_among_many_is_refused(backend):
    with pytest.raises(EdgeError):
        put_all(backend, new_object("a/../b"))


def test_delete_skips_missing_objects(backend):
    backend.objects.put("a", b"x", **TEXT)
    backend.objects.delete(["a", "b", "c/d"])
    assert backend.objects.head("a") is None


def test_missing_object_is_none_for_head_and_an_error_for_get(backend):
    assert backend.objects.head("missing") is None
    with pytest.raises(ObjectMissing):
        backend.objects.get("missing")
    with pytest.raises(ObjectMissing):
        backend.objects.copy("missing", "b", metadata={})


@pytest.mark.parametrize(
    "key", ["", "/a", "a/", "a//b", ".", "a/../b", "../a", "a\nb", "a\0", "x" * 1025]
)
def test_impossible_key_is_refused(backend, key):
    with pytest.raises(EdgeError):
        backend.objects.put(key, b"x", **TEXT)
    assert backend.objects.head(key) is None
    with pytest.raises(ObjectMissing):
        backend.objects.get(key)


# Keys and values


def test_update_writes_and_deletes_at_once(backend):
    store = backend.keyvalues
    etag = store.update(puts={"a": "1", "b": "2"}, if_match=store.etag())
    assert etag == store.etag()
    store.update(puts={"b": "3", "c": "4"}, deletes=["a"], if_match=etag)
    assert store.items() == {"b": "3", "c": "4"}
    assert (store.get("b"), store.get("a")) == ("3", None)


def test_every_update_changes_the_etag(backend):
    store = backend.keyvalues
    etags = {store.etag()}
    for _ in range(3):
        etags.add(store.update(puts={"a": "same"}, if_match=store.etag()))
    assert len(etags) == 4


def test_stale_etag_writes_nothing(backend):
    store = backend.keyvalues
    stale = store.etag()
    store.update(puts={"a": "1"}, if_match=stale)
    with pytest.raises(StaleEtag):
        store.update(puts={"a": "2", "b": "2"}, deletes=["a"], if_match=stale)
    assert store.items() == {"a": "1"}


@pytest.mark.parametrize(
    "puts",
    [{"k" * 513: "v"}, {"": "v"}, {"key": "v" * 1022}, {str(n): "v" for n in range(51)}],
    ids=["long key", "empty key", "long entry", "many keys"],
)
def test_update_beyond_a_limit_writes_nothing(backend, puts):
    etag = backend.keyvalues.etag()
    with pytest.raises(LimitExceeded):
        backend.keyvalues.update(puts={**puts, "good": "1"}, if_match=etag)
    assert (backend.keyvalues.items(), backend.keyvalues.etag()) == ({}, etag)


# Functions


def staged(backend, source=""):
    return backend.functions.stage(NAME, source or function_source())


def test_published_function_is_live(backend):
    assert backend.functions.live(NAME) is None
    etag = staged(backend)
    assert backend.functions.live(NAME) is None
    backend.functions.publish(NAME, if_match=etag)
    live = backend.functions.live(NAME)
    assert (live.name, live.source) == (NAME, function_source())
    assert live.digest == digest_of(function_source())


def test_function_can_be_staged_and_published_again(backend):
    for _ in range(2):
        backend.functions.publish(NAME, if_match=staged(backend))
    assert backend.functions.live(NAME).source == function_source()


def test_staging_does_not_change_the_live_function(backend):
    backend.functions.publish(NAME, if_match=staged(backend))
    staged(backend, "function handler(event) { return event.request; }")
    assert backend.functions.live(NAME).source == function_source()


def test_test_run_returns_the_request(backend):
    etag = staged(backend)
    document = RoutingDocument(environment="production", release=LIVE).to_json()
    backend.keyvalues.update(puts={"host:localhost": document}, if_match=backend.keyvalues.etag())
    trial = backend.functions.test(NAME, Case("/about").event(), if_match=etag)
    assert trial.error == ""
    assert trial.output["request"]["uri"] == f"/releases/{LIVE}/about/index.html"


def test_test_run_returns_a_response(backend):
    trial = backend.functions.test(NAME, Case("/a%2fb").event(), if_match=staged(backend))
    assert trial.output["response"]["statusCode"] == 400


def test_test_run_returns_an_error(backend):
    etag = staged(backend, "function handler(event) { throw new Error('no luck'); }")
    trial = backend.functions.test(NAME, Case("/").event(), if_match=etag)
    assert trial.output is None
    assert "no luck" in trial.error


def test_stale_stage_is_neither_tested_nor_published(backend):
    stale = staged(backend)
    staged(backend, "function handler(event) { return event.request; }")
    with pytest.raises(StaleEtag):
        backend.functions.test(NAME, Case("/").event(), if_match=stale)
    with pytest.raises(StaleEtag):
        backend.functions.publish(NAME, if_match=stale)
    assert backend.functions.live(NAME) is None


def test_function_without_a_stage_is_not_published(backend):
    with pytest.raises(StaleEtag):
        backend.functions.publish("unknown", if_match="x")


def test_long_function_is_refused(backend):
    with pytest.raises(LimitExceeded):
        staged(backend, function_source() + "//" + "x" * 10_240)


def test_function_with_a_syntax_error_is_refused(backend):
    with pytest.raises(FunctionFailed, match="SyntaxError"):
        staged(backend, "function handler(event) {")


# Distribution


def test_invalidation_counts_paths(backend, main):
    assert backend.distribution.invalidate(main, ["/a", "/b/*", "/a"], reference="d1") == 2
    assert backend.distribution.invalidate(main, [], reference="d2") == 0


def test_repeated_invalidation_is_one(backend, main):
    assert backend.distribution.invalidate(main, ["/b", "/a"], reference="d1") == 2
    assert backend.distribution.invalidate(main, ["/a", "/b"], reference="d1") == 2


def test_reference_is_not_used_again_for_other_paths(backend, main):
    backend.distribution.invalidate(main, ["/a"], reference="d1")
    with pytest.raises(EdgeError, match="of other paths"):
        backend.distribution.invalidate(main, ["/b"], reference="d1")


def test_distributions_have_their_own_references(backend, distributions):
    main, root = distributions
    backend.distribution.invalidate(main, ["/a"], reference="d1")
    assert backend.distribution.invalidate(root, ["/b"], reference="d1") == 1


@pytest.mark.parametrize(
    "paths",
    [[f"/{n}" for n in range(3001)], [f"/{n}/*" for n in range(16)]],
    ids=["paths", "wildcards"],
)
def test_invalidation_beyond_a_limit_is_refused(backend, main, paths):
    with pytest.raises(LimitExceeded):
        backend.distribution.invalidate(main, paths, reference="d1")
    assert backend.distribution.invalidate(main, ["/*"], reference="d1") == 1


def test_paths_are_in_progress_until_they_are_dropped(backend, main):
    assert backend.distribution.in_progress(main) == []
    backend.distribution.invalidate(main, ["/a", "/b/*"], reference="d1")
    backend.distribution.invalidate(main, ["/c"], reference="d2")
    seen = [sorted(backend.distribution.in_progress(main)) for _ in range(3)]
    assert seen[0] in ([], ["/a", "/b/*", "/c"])
    assert seen[-1] == []


def test_distribution_accepts_more_or_says_that_it_is_at_its_limit(backend, distributions):
    main, root = distributions
    paths = [f"/{n}" for n in range(3000)]
    backend.distribution.invalidate(main, paths, reference="d1")
    assert backend.distribution.invalidate(main, paths, reference="d1") == 3000
    assert backend.distribution.invalidate(root, ["/a"], reference="d2") == 1
    for _ in range(2):
        try:
            assert backend.distribution.invalidate(main, ["/a"], reference="d3") == 1
        except InvalidationsInProgress:
            assert backend.name == "aws"
    assert backend.distribution.invalidate(main, ["/a"], reference="d3") == 1


def test_status_of_a_distribution(backend, main):
    assert backend.distribution.status(main) in ("Deployed", "InProgress")


@pytest.mark.parametrize("path", ["a", "/a*b", "/*/b", ""])
def test_malformed_path_is_refused(backend, main, path):
    with pytest.raises(EdgeError):
        backend.distribution.invalidate(main, [path], reference="d1")


# Viewer


def test_viewer_sees_a_switch_immediately(backend):
    for release in ("r1", "r2"):
        backend.objects.put(
            f"releases/{release}/index.html",
            release.encode(),
            content_type="text/html",
            cache_control="public, max-age=0, s-maxage=31536000",
            metadata={"release": release},
        )
        document = RoutingDocument(environment="production", release=release).to_json()
        etag = backend.keyvalues.etag()
        backend.keyvalues.update(puts={"host:example.org": document}, if_match=etag)
        seen = backend.viewer.fetch("example.org", "/")
        assert (seen.status, seen.body) == (200, release.encode())
        assert seen.headers["x-amz-meta-release"] == release


def test_viewer_sees_the_published_function(backend):
    document = RoutingDocument(environment="production", release="r1").to_json()
    backend.keyvalues.update(puts={"host:example.org": document}, if_match=backend.keyvalues.etag())
    source = "function handler(event) { return { statusCode: 204 }; }"
    backend.functions.publish(NAME, if_match=staged(backend, source))
    assert backend.viewer.fetch("example.org", "/").status == 204
    assert backend.viewer.fetch("other.example", "/").status == 503


def test_viewer_sends_the_query(backend):
    document = RoutingDocument(environment="production", release=LIVE).to_json()
    backend.keyvalues.update(puts={"host:example.org": document}, if_match=backend.keyvalues.etag())
    seen = backend.viewer.fetch("example.org", "/track?token=abc")
    assert (seen.status, seen.headers["location"]) == (301, "/track/abc")


def test_viewer_does_not_reach_the_application(backend):
    with pytest.raises(EdgeError, match="answered by the application"):
        backend.viewer.fetch("example.org", "/admin/")


# Capabilities


def test_facts_agree(backend, settings):
    assert has_local_edge() is (backend.read_snapshot is not None)
    assert not backend.has_local_cache or backend.read_snapshot
    assert backend.name == settings.EDGE_BACKEND


def test_unknown_back_end_is_refused(settings):
    settings.EDGE_BACKEND = "azure"
    for ask in (get_backend, has_local_edge):
        with pytest.raises(EdgeError, match="Expected EDGE_BACKEND to be 'local' or 'aws'"):
            ask()
