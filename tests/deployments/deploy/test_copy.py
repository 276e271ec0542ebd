"""The `copy` strategy, seen through the edge."""

import itertools
from functools import partial

import pytest

from deployments.deploy.targets import function_target
from deployments.errors import ChangedMeanwhile, PartlyChanged, Refused
from deployments.models import DeployLock, Deployment, Distribution, Invalidation, Outcome, Strategy
from deployments.releases.store import read_manifest
from edge.errors import BackendUnavailable
from tests.deployments.deploy.test_interrupted import LOST, MOST_CALLS, attempt
from tests.deployments.doubles import Counting, FaultPoint, Killed
from tests.deployments.sites import write_site

PREFIX = "live/production/"
PAGE = "<!doctype html><title>{}</title>"


class Watching(Counting):
    """Records in order which keys are copied and deleted, and which paths invalidated."""

    def __init__(self, real, events):
        super().__init__(real)
        self.events = events

    def __getattr__(self, name):
        method = super().__getattr__(name)

        def call(*args, **kwargs):
            if name == "copy":
                self.events.append(("copy", args[1]))
            elif name == "delete":
                self.events.extend(("delete", key) for key in args[0])
            elif name == "invalidate":
                self.events.append(("invalidate", args[0], tuple(args[1])))
            return method(*args, **kwargs)

        return call


@pytest.fixture
def copied(production):
    """Production, deployed to by copy."""
    production.strategy = Strategy.COPY
    production.save()
    return production


@pytest.fixture
def watched(operator, backend, replaced):
    """Return a function that watches the store and the distribution from then on."""

    def watch():
        events = []
        operator.backend = replaced(
            objects=Watching(backend.objects, events),
            distribution=Watching(backend.distribution, events),
        )
        return events

    return watch


def live_keys(backend):
    return {o.key.removeprefix(PREFIX) for o in backend.objects.list(PREFIX)}


def files(mark="A", **more):
    """Write a small site: two pages and what they refer to."""
    return {
        "index.html": PAGE.format(mark),
        "book/index.html": PAGE.format(f"book {mark}"),
        "404.html": PAGE.format("lost"),
        "assets/site.0123456789ab.css": "body{color:#123}",
    } | more


def served_content(operator, path="/"):
    return operator.backend.viewer.fetch("localhost", path).body.decode()


def test_push_promote_and_rollback_are_seen_through_the_edge(operator, copied):
    first = operator.push("A")
    operator.promote()
    operator.push("B")
    assert operator.served() == first.name
    assert "<title>A" in served_content(operator)
    second = operator.push("C")
    operator.promote()
    assert {operator.served(path=path) for path in ("/", "/book/", "/dashboard/")} == {second.name}
    assert "body{" in served_content(operator, "/assets/site.0123456789ab.css")
    operator.rollback()
    assert operator.served() == first.name
    assert "<title>A" in served_content(operator, "/book/index.html")


def test_keys_hold_exactly_the_release(operator, copied, backend):
    release = operator.push("A", extra=3)
    operator.promote()
    assert live_keys(backend) == {a.path for a in read_manifest(backend.objects, release)}
    info = backend.objects.head(PREFIX + "index.html")
    assert info.metadata["release"] == release.name
    assert info.cache_control == "public, max-age=0, must-revalidate"


def test_no_routing_document_and_no_function(operator, copied, backend):
    operator.push("A")
    operator.promote()
    assert backend.keyvalues.get("host:localhost") is None
    assert backend.functions.live("qdn-viewer-request-production") is None


def test_seven_changed_and_two_removed_of_two_thousand_files(operator, copied, watched):
    site = files() | {f"blog/{n // 100}/{n}.html": PAGE.format(n) for n in range(1_996)}
    changed = ["book/index.html", *(f"blog/{n}/{n}01.html" for n in range(1, 7))]
    after = site | dict.fromkeys(changed, "changed")
    del after["blog/8/850.html"], after["blog/9/950.html"]
    operator.promote(operator.release_of(site))
    release = operator.release_of(after)
    events = watched()
    done = operator.promote(release)
    objects = operator.backend.objects
    kinds = [event[0] for event in events]
    assert (kinds.count("copy"), kinds.count("delete")) == (7, 2)
    assert objects.calls["put"] == 1  # the audit object
    assert done.invalidated == 9
    dropped = {path for kind, *rest in events if kind == "invalidate" for path in rest[1]}
    assert dropped == {
        "/book*",
        *(f"/{path}" for path in changed[1:]),
        "/blog/8/850.html",
        "/blog/9/950.html",
    }
    assert "Invalidate changed files: 7 paths, $0.00 of 1,000 free (0 used this month)" in (
        operator.said
    )


def test_nine_hundred_changed_files_of_a_folder_are_one_path(operator, copied, watched):
    site = files() | {f"blog/{n}.html": PAGE.format(n) for n in range(900)}
    operator.promote(operator.release_of(site))
    after = site | {f"blog/{n}.html": PAGE.format(-n - 1) for n in range(900)}
    release = operator.release_of(after)
    events = watched()
    assert operator.promote(release).invalidated == 1
    assert [event for event in events if event[0] == "invalidate"] == [
        ("invalidate", "production", ("/blog/*",))
    ]
    assert operator.backend.objects.calls["copy"] == 900


def test_pages_never_refer_to_missing_files(operator, copied, watched):
    before = files("A", **{"old.txt": "x", "data.txt": "a", "assets/a.111111111111.js": "1"})
    after = files("B", **{"new.txt": "n", "data.txt": "b", "assets/b.222222222222.js": "2"})
    operator.promote(operator.release_of(before))
    release = operator.release_of(after)
    events = watched()
    operator.promote(release)
    order = [e[1].removeprefix(PREFIX) if e[0] != "invalidate" else e[2] for e in events]
    kinds = [event[0] for event in events]
    assert order[:3] == ["assets/b.222222222222.js", "new.txt", "data.txt"]
    assert set(order[3:5]) == {"index.html", "book/index.html"}
    assert kinds[5:] == ["invalidate", "delete", "invalidate"]
    assert order[6:] == ["old.txt", ("/old.txt",)]


def test_new_paths_are_not_invalidated(operator, copied):
    site = files()
    operator.promote(operator.release_of(site))
    assert operator.promote(operator.release_of(site | {"new.html": "n"})).invalidated == 0


def test_assets_of_the_replaced_release_stay_for_open_pages(operator, copied, backend):
    names = [f"assets/{mark}.{mark * 11}1.js" for mark in "abc"]
    releases = [operator.release_of(files(name, **{name: name})) for name in names]
    for release, kept in zip(
        releases, [{names[0]}, {names[0], names[1]}, {names[1], names[2]}], strict=True
    ):
        operator.promote(release)
        assert {key for key in live_keys(backend) if key.endswith(".js")} == kept


def test_header_only_change_is_copied_and_invalidated(operator, copied, backend):
    site = files(**{"data.txt": "x"})
    operator.promote(operator.release_of(site))
    rules = "/data.txt\n Cache-Control: public, max-age=60\n"
    assert operator.promote(operator.release_of(site | {"_headers": rules})).invalidated == 1
    assert backend.objects.head(PREFIX + "data.txt").cache_control == "public, max-age=60"


def test_each_distribution_drops_the_paths_it_routes(operator, copied, watched):
    for name, paths in {
        "MAIN": ["/dashboard/*", "/track/*", "/book/*"],
        "ROOT": ["/book/*"],
    }.items():
        Distribution.objects.create(environment=copied, remote_id=name, paths=paths)
    names = {f"{folder}/{n}.html" for folder in ("book", "track", "blog") for n in range(100)}
    site = files() | dict.fromkeys(names, "same")
    operator.promote(operator.release_of(site))
    release = operator.release_of(
        site | {"book/1.html": "b", "track/1.html": "t", "blog/1.html": "n"}
    )
    events = watched()
    assert operator.promote(release).invalidated == 3
    assert [event for event in events if event[0] == "invalidate"] == [
        ("invalidate", "MAIN", ("/book/1.html", "/track/1.html")),
        ("invalidate", "ROOT", ("/book/1.html",)),
    ]


def test_only_pages_that_a_distribution_routes_are_probed(operator, copied, backend, replaced):
    class Asked(Counting):
        def fetch(self, host, path, **more):
            paths.append(path)
            return backend.viewer.fetch(host, path)

    paths = []
    Distribution.objects.create(environment=copied, remote_id="MAIN", paths=["/book/*"])
    operator.push("A")
    operator.backend = replaced(viewer=Asked(backend.viewer))
    operator.promote()
    assert paths == ["/book/"]


def test_paths_are_counted_for_the_month(operator, copied):
    site = files()
    operator.promote(operator.release_of(site))
    done = operator.promote(operator.release_of(site | {"book/index.html": "new"}))
    row = Invalidation.objects.get()
    assert (row.deployment, row.paths, row.actor) == (done.deployment, 1, "olga")
    operator.promote(operator.release_of(site | {"book/index.html": "newer"}))
    assert operator.said[-2:] == [
        "Invalidate changed files: 1 path, $0.00 of 1,000 free (1 used this month)",
        "Probe home, book",
    ]


def test_repeated_promotion_changes_nothing(operator, copied):
    operator.push("A")
    operator.promote()
    rows = Deployment.objects.count()
    assert operator.promote().deployment is None
    assert Deployment.objects.count() == rows


@pytest.mark.parametrize("drift", ["deleted", "overwritten", "stray"])
def test_deploying_the_live_release_repairs_its_keys(operator, copied, backend, drift):
    release = operator.push("A")
    operator.promote()
    key = PREFIX + ("stray.txt" if drift == "stray" else "book/index.html")
    if drift == "deleted":
        backend.objects.delete([key])
    else:
        size = backend.objects.head(PREFIX + "book/index.html").size
        rules = {"content_type": "text/html; charset=utf-8", "cache_control": "public"}
        backend.objects.put(key, b"x" * size, **rules)
    assert operator.promote(release).deployment is not None
    assert live_keys(backend) == {a.path for a in read_manifest(backend.objects, release)}
    assert "<title>A" in served_content(operator, "/book/")
    assert operator.promote(release).deployment is None


def test_changing_the_strategy_back_and_forth(operator, copied, backend):
    release = operator.push("A")
    operator.promote()
    copied.strategy = Strategy.POINTER
    copied.save()
    operator.promote(release)
    assert backend.origins.prefix("localhost") == ""
    assert operator.served(path="/track/x") == release.name
    second = operator.push("B")
    operator.promote()
    copied.strategy = Strategy.COPY
    copied.save()
    operator.promote(second)
    assert backend.origins.prefix("localhost") == PREFIX
    assert "<title>B" in served_content(operator)


# Failures


def test_refuses_a_release_with_a_missing_file(operator, copied, backend, watched):
    operator.push("A", extra=3)
    operator.promote()
    release = operator.push("B", extra=3)
    backend.objects.delete([release.key("more/2.txt")])
    events = watched()
    with pytest.raises(Refused) as refused:
        operator.promote()
    assert refused.value.code == "objects-gone"
    assert "more/2.txt" in refused.value.message
    assert events == []


def test_failure_half_way_shows_the_command_that_resumes(operator, copied, backend, replaced):
    first = operator.push("A", extra=20)
    operator.promote()
    second = operator.push("B", extra=20)

    class Failing(Counting):
        def copy(self, source, target, **kwargs):
            if target.endswith("more/7.txt"):
                raise BackendUnavailable("503 SlowDown")
            return backend.objects.copy(source, target, **kwargs)

    operator.backend = replaced(objects=Failing(backend.objects))
    with pytest.raises(PartlyChanged) as failed:
        operator.promote()
    assert failed.value.hint == f"Run: manage.py promote --release {second} --to production --yes"
    assert first.name in failed.value.message
    operator.backend = backend
    operator.promote(second)
    assert operator.served() == second.name
    assert Deployment.objects.filter(environment=copied).count() == 2  # the second was resumed


def test_going_back_instead_replaces_what_had_arrived(operator, copied, backend, replaced):
    first = operator.push("A", extra=20)
    operator.promote()
    second = operator.push("B", extra=20)
    operator.backend = replaced(distribution=FaultPoint(1, Killed()).before(backend.distribution))
    with pytest.raises(Killed):
        operator.promote()
    operator.backend = backend
    assert "<title>B" in served_content(operator)
    done = operator.promote(first)
    assert "<title>A" in served_content(operator)
    assert done.invalidated > 0
    results = [d.outcome.result for d in Deployment.objects.filter(release=second)]
    assert results == [Outcome.Result.SUCCEEDED, Outcome.Result.ABANDONED]
    assert operator.promote(first).deployment is None


def test_failed_probe_deletes_nothing(operator, copied, backend, replaced):
    class Stale:
        def fetch(self, host, path, **more):
            return old[path]

    operator.promote(operator.release_of(files("A", **{"old.txt": "x"})))
    old = {path: backend.viewer.fetch("localhost", path) for path in ("/", "/book/")}
    release = operator.release_of(files("B"))
    operator.backend = replaced(viewer=Stale())
    with pytest.raises(PartlyChanged) as failed:
        operator.promote(release)
    assert "other content" in failed.value.message
    assert "old.txt" in live_keys(backend)
    operator.backend = backend
    operator.promote(release)
    assert "old.txt" not in live_keys(backend)


def test_lock_that_was_taken_over_stops_the_run(operator, copied):
    class Listener(list):
        """Lets another run take the lock once the assets are copied."""

        def append(self, line):
            if "changed page" in line:
                DeployLock.objects.all().delete()

    operator.promote(operator.release_of(files("A")))
    release = operator.release_of(files("B", **{"assets/n.111111111111.js": "1"}))
    operator.said = Listener()
    with pytest.raises(ChangedMeanwhile) as stopped:
        operator.promote(release)
    assert stopped.value.code == "lock-lost"
    assert "<title>A" in served_content(operator)


def test_function_cannot_be_published(operator, copied):
    operator.push("A")
    operator.promote()
    with pytest.raises(Refused):
        function_target(environment=copied, actor="olga")


def test_audit_records_the_strategy(operator, copied):
    operator.push("A")
    operator.promote()
    assert [audit["strategy"] for audit in operator.audits()] == ["pointer", "copy"]


class Caches:
    """A cache in front of the viewer: keeps each response until its path is invalidated."""

    def __init__(self, backend):
        self.backend = backend
        self.kept = {}

    def fetch(self, host, path, **more):
        if path not in self.kept:
            self.kept[path] = self.backend.viewer.fetch(host, path)
        return self.kept[path]

    def in_progress(self, distribution):
        return []

    def invalidate(self, distribution, paths, *, reference):
        for entry in paths:
            for path in list(self.kept):
                if path == entry or (entry.endswith("*") and path.startswith(entry[:-1])):
                    del self.kept[path]
        return self.backend.distribution.invalidate(distribution, paths, reference=reference)


ADDRESSES = ("/", "/book/", "/book", "/book/index.html", "/data.txt", "/only/{}.txt")


@pytest.mark.parametrize(("make_error", "after"), LOST)
@pytest.mark.parametrize("way", ["forward", "back"])
def test_rerun_finishes_after_a_fault_at_any_call(
    operator, copied, backend, replaced, make_error, after, way
):
    """After a fault at any call, a second run serves one whole release, even from full caches."""
    sites = [files(mark, **{"data.txt": mark, f"only/{mark}.txt": mark}) for mark in ("A", "B")]
    releases = [operator.release_of(site) for site in sites]
    caches = Caches(backend)
    whole = replaced(viewer=caches, distribution=caches)
    operator.backend = whole
    operator.promote(releases[0])
    live = 0
    for number in itertools.count(1):
        assert number < MOST_CALLS
        for path in ADDRESSES:
            for mark in "AB":
                caches.fetch("localhost", path.format(mark))
        fault = FaultPoint(number, make_error(), after=after)
        operator.backend = replaced(
            objects=fault.before(backend.objects),
            viewer=caches,
            distribution=fault.before(caches),
        )
        error = attempt(partial(operator.promote, releases[1 - live]))
        operator.backend = whole
        if not fault.was_reached:
            break
        # A failed look at the distribution's invalidations loses nothing: the request decides.
        assert error is not None or fault.name == "in_progress"
        live = 1 - live if way == "forward" or error is None else live
        operator.promote(releases[live])
        mark, other = "AB"[live], "BA"[live]
        caches.kept = {path: a for path, a in caches.kept.items() if a.status == 200}
        seen = {path: caches.fetch("localhost", path.format(mark)) for path in ADDRESSES}
        assert f"<title>{mark}<" in seen["/"].body.decode()
        for path in ("/book/", "/book/index.html"):
            assert f"<title>book {mark}<" in seen[path].body.decode(), path
        assert seen["/data.txt"].body.decode() == seen["/only/{}.txt"].body.decode() == mark
        assert caches.fetch("localhost", f"/only/{other}.txt").status == 404
        assert copied.live.release == releases[live]
        assert not copied.deployments.unfinished().exists()
        assert operator.promote(releases[live]).deployment is None
    assert number > 15


def test_resuming_pays_for_no_path_twice(operator, copied, backend, replaced):
    operator.promote(operator.release_of(files("A", **{"old.txt": "x"})))
    release = operator.release_of(files("B"))

    class NoAudit(Counting):
        def put(self, *args, **kwargs):
            raise BackendUnavailable("503 SlowDown")

    operator.backend = replaced(objects=NoAudit(backend.objects))
    with pytest.raises(PartlyChanged):
        operator.promote(release)
    rows = set(Invalidation.objects.values_list("reference", "paths"))
    operator.backend = backend
    operator.promote(release)
    assert set(Invalidation.objects.values_list("reference", "paths")) == rows
    assert operator.served() == release.name


def test_first_deployment_over_files_of_unknown_origin(operator, copied, backend):
    rules = {"content_type": "text/plain; charset=utf-8", "cache_control": "public"}
    backend.objects.put(PREFIX + "notes.txt", b"x", **rules)
    release = operator.push("A")
    operator.promote()
    assert live_keys(backend) == {a.path for a in read_manifest(backend.objects, release)}


def test_writes_no_error_page_of_the_pointer_strategy(operator, copied, backend, tmp_path):
    write_site(tmp_path / "site")
    operator.push("A")
    second = operator.push("B")
    page = backend.objects.head("errors/404.html")
    operator.promote(second)
    assert backend.objects.head("errors/404.html") == page
    assert "<title>B" in served_content(operator, "/nowhere/")
