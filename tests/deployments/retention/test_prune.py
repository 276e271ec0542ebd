"""Retention keeps what is needed; the rest is marked, waits, and is removed as a whole."""

import itertools
import json
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from deployments.errors import ChangedMeanwhile, PartlyChanged, Refused
from deployments.models import AssetSweep, Deployment, Environment, Release
from deployments.releases.manifest import MANIFEST
from deployments.releases.store import read_manifest
from deployments.retention import prune
from deployments.retention import task as prune_task
from deployments.retention.pin import set_pinned
from deployments.retention.plan import plan_prune
from deployments.retention.prune import PruneRun, carry_out
from deployments.verification.reports import release_rows
from deployments.verification.verify import verify
from edge.errors import BackendUnavailable
from tests.deployments.doubles import FaultPoint, Killed, KilledAtManifest
from tests.deployments.losing import lose_history

DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def policy(settings):
    """Keep only releases that serve or are in use."""
    settings.PRUNE_KEEP_DAYS = 0
    settings.PRUNE_KEEP_NEWEST = 0
    settings.PRUNE_WAIT_HOURS = 24


def run_prune(backend, **options):
    return prune.prune(PruneRun(backend, "olga", print, **options))


def age():
    """Make marks, and pushes that did not finish, old enough to be removed."""
    Release.objects.filter(marked_at__isnull=False, removed_at=None).update(
        marked_at=timezone.now() - 2 * DAY
    )
    Release.objects.filter(completed_at=None).update(created_at=timezone.now() - 2 * DAY)


def prune_fully(backend):
    """Mark, wait, and sweep."""
    run_prune(backend)
    age()
    return run_prune(backend)


def site(mark, *, assets=()):
    """Return the files of a small release; `assets` are names of shared ones."""
    pages = ("index.html", "book/index.html", "404.html")
    files = {path: f"<!doctype html><title>{mark}</title>{path}" for path in pages}
    return files | {f"assets/{name}.0123456789ab.css": name for name in assets}


def asset(name):
    return f"assets/{name}.0123456789ab.css"


def is_whole(backend, release):
    stored = {one.key: one.size for one in backend.objects.list("")}
    manifest = read_manifest(backend.objects, release)
    return all(stored.get(a.key(release.name)) == a.size for a in manifest)


def stored(backend, prefix):
    return [one.key for one in backend.objects.list(prefix)]


@pytest.fixture
def promoted(operator, backend):
    """Production has served A, B and C: each has an asset of its own and a shared one."""
    releases = []
    for mark in "ABC":
        releases.append(operator.release_of(site(mark, assets=[mark, "all"])))
        operator.promote(releases[-1])
    return releases


def test_unneeded_release_is_marked_and_removed_after_the_wait(promoted, backend):
    first = promoted[0]
    done = run_prune(backend)
    assert done.swept == {}
    assert Release.objects.get(name=first.name).marked_at
    assert run_prune(backend).swept == {}
    age()
    done = run_prune(backend)
    assert list(done.swept) == [first.name]
    assert (done.swept[first.name].files, done.assets.files) == (4, 1)
    assert stored(backend, first.key("")) == []
    first.refresh_from_db()
    assert first.removed_at
    assert first.marked_at is None


def test_shared_assets_stay_while_a_kept_release_refers_to_them(promoted, backend):
    prune_fully(backend)
    assert stored(backend, "assets/") == sorted(map(asset, ["B", "C", "all"]))
    assert all(is_whole(backend, release) for release in promoted[1:])


def test_edge_and_history_agree_afterwards(promoted, operator, backend, production):
    prune_fully(backend)
    assert verify(backend, production)["drift"] == []
    operator.rollback()
    assert operator.served() == promoted[1].name


def test_audit_object_has_the_removal(promoted, backend):
    prune_fully(backend)
    body = backend.objects.get(f"audit/releases/{promoted[0]}.json").body
    assert json.loads(body)["removed_at"] == Release.objects.earliest("pk").removed_at.isoformat()


def test_listing_leaves_removed_releases_out(promoted, backend):
    prune_fully(backend)
    assert [row["release"] for row in release_rows(9)] == [promoted[2].name, promoted[1].name]


# What is needed


def test_canary_stays(promoted, operator, backend):
    release = operator.release("X")
    operator.canary(5, release)
    done = prune_fully(backend)
    assert release.name not in done.swept
    assert plan_prune(backend).kept[release.name] == "canary in production"


def test_reasons_to_keep(promoted, operator, backend, settings):
    settings.PRUNE_KEEP_DAYS = 30
    settings.PRUNE_KEEP_NEWEST = 1
    pinned, newest = operator.release("P"), operator.release("N")
    set_pinned(objects=backend.objects, release=pinned, pinned=True)
    kept = plan_prune(backend).kept
    assert kept == {
        promoted[2].name: "live in production",
        promoted[1].name: "previous in production",
        promoted[0].name: "live in production in the last 30 days",
        pinned.name: "pinned",
        newest.name: "one of the newest 1",
    }


def test_release_live_before_the_last_days_is_marked(promoted, backend, settings, database_clock):
    settings.PRUNE_KEEP_DAYS = 30
    database_clock.shift(31 * DAY)
    assert [one.name for one in plan_prune(backend).marks] == [promoted[0].name]


def test_marked_release_waits_for_a_machine_whose_clock_is_ahead(promoted, backend, time_machine):
    run_prune(backend)
    time_machine.move_to(timezone.now() + 2 * DAY)
    plan = plan_prune(backend)
    assert [one.name for one in plan.waits] == [promoted[0].name]
    assert not plan.sweeps


def test_unfinished_push_is_left_alone_by_a_machine_whose_clock_is_ahead(operator, time_machine):
    release = operator.release("A")
    Release.objects.update(completed_at=None)
    time_machine.move_to(timezone.now() + 2 * DAY)
    assert Release.objects.underway().get() == release


def test_release_in_the_routes_stays_against_the_history(operator, backend):
    release = operator.release("A")
    other = operator.push("B")
    document = json.dumps({"e": "staging", "r": release.name, "p": "", "m": 0})
    etag = backend.keyvalues.etag()
    backend.keyvalues.update(puts={"env:staging": document}, if_match=etag)
    assert plan_prune(backend).kept == {
        release.name: "named by env:staging",
        other.name: "live in staging",
    }


def test_release_being_deployed_stays(promoted, backend, staging):
    live = Deployment.objects.latest("pk")
    Deployment.objects.create(
        environment=staging,
        release=promoted[0],
        function=live.function,
        kind=Deployment.Kind.PUSH,
        actor="otto",
    )
    assert plan_prune(backend).kept[promoted[0].name] == "being deployed to staging"


def test_by_copy_files_that_open_pages_refer_to_stay(operator, backend, production):
    production.strategy = "copy"
    production.save()
    releases = []
    for mark in "ABCD":
        releases.append(operator.release_of(site(mark, assets=[mark])))
        operator.promote(releases[-1])
    operator.rollback()
    prune_fully(backend)
    # C is live, B would be next, and open pages refer to files of D.
    assert list(Release.objects.complete().order_by("pk")) == releases[1:]
    assert verify(backend, production)["drift"] == []


def test_release_needed_again_loses_its_mark(promoted, operator, backend):
    run_prune(backend)
    operator.promote(promoted[0])
    assert Release.objects.get(name=promoted[0].name).marked_at is None
    Release.objects.filter(name=promoted[1].name).update(marked_at=timezone.now())
    plan = plan_prune(backend)
    assert plan.unmarks == []  # B was the one before C; now C is the one before A
    Release.objects.filter(name=promoted[0].name).update(marked_at=timezone.now())
    run_prune(backend)
    assert Release.objects.get(name=promoted[0].name).marked_at is None


# Others at the same time


@pytest.mark.parametrize("use", ["promote", "push", "pin"])
def test_release_used_after_planning_stays(promoted, operator, backend, use):
    run_prune(backend)
    age()
    plan = plan_prune(backend)
    assert list(plan.sweeps) == [promoted[0]]
    if use == "promote":
        operator.promote(promoted[0])
    elif use == "push":
        operator.release_of(site("A", assets=["A", "all"]))
    else:
        set_pinned(objects=backend.objects, release=promoted[0], pinned=True)
    done = carry_out(PruneRun(backend, "olga", print), plan)
    assert done.swept == {}
    assert is_whole(backend, promoted[0])


def test_promoting_a_removed_release_is_refused(promoted, operator, backend):
    prune_fully(backend)
    with pytest.raises(Refused) as refused:
        operator.promote(promoted[0])  # looked up before
    assert refused.value.code == "objects-gone"
    with pytest.raises(Refused) as refused:
        operator.promote(Release.objects.get(pk=promoted[0].pk))
    assert refused.value.code == "release-removed"


def test_assets_of_an_unfinished_push_stay(promoted, operator, backend, replaced):
    operator.backend = replaced(objects=KilledAtManifest(backend.objects))
    files = site("D", assets=["D", "A"])
    with pytest.raises(Killed):
        operator.release_of(files)
    operator.backend = backend
    run_prune(backend)
    Release.objects.filter(marked_at__isnull=False).update(marked_at=timezone.now() - 2 * DAY)
    done = run_prune(backend)
    assert list(done.swept) == [promoted[0].name]
    assert "a push is running" in done.left
    assert {asset("D"), asset("A")} <= set(stored(backend, "assets/"))
    release = operator.release_of(files)
    assert is_whole(backend, release)
    done = run_prune(backend)  # the rest
    assert done.left == ""
    assert is_whole(backend, release)


def test_unfinished_push_is_removed_with_its_assets(operator, backend, replaced):
    kept = operator.release_of(site("A", assets=["A"]))
    operator.promote(kept)
    operator.backend = replaced(objects=KilledAtManifest(backend.objects))
    with pytest.raises(Killed):
        operator.release_of(site("D", assets=["D"]))
    age()
    prune_fully(backend)
    assert stored(backend, "assets/") == [asset("A")]
    assert stored(backend, "releases/") == stored(backend, kept.key(""))
    assert Release.objects.present().get() == kept


def test_push_that_slept_for_days_is_refused(promoted, operator, backend, replaced):
    """A laptop was closed half way, and prune treated the push as one that never ended."""

    class Sleeping:
        def put_all(self, objects, *, on_stored):
            backend.objects.put_all(objects, on_stored=on_stored)
            age()
            backend.objects.delete([asset("N")])

        def __getattr__(self, name):
            return getattr(backend.objects, name)

    files = site("N", assets=["N"])
    operator.backend = replaced(objects=Sleeping())
    with pytest.raises(ChangedMeanwhile) as refused:
        operator.release_of(files)
    assert "same push again" in refused.value.hint
    assert Release.objects.complete().count() == len(promoted)
    operator.backend = backend
    assert is_whole(backend, operator.release_of(files))


def test_push_that_begins_stops_the_removal_of_assets(promoted, backend, replaced, monkeypatch):
    monkeypatch.setattr(prune, "AT_ONCE", 1)
    run_prune(backend)
    age()
    backend.objects.put("assets/orphan.css", b"x", content_type="text/css", cache_control="x")

    class Pushing:
        def delete(self, keys):
            if any(key.startswith("assets/") for key in keys):
                Release.objects.create(name="n", digest="d", files=1, bytes=1, created_by="otto")
            backend.objects.delete(keys)

        def __getattr__(self, name):
            return getattr(backend.objects, name)

    plan = plan_prune(backend)
    done = carry_out(PruneRun(replaced(objects=Pushing()), "olga", print), plan)
    assert (done.assets.files, bool(done.left)) == (1, True)
    assert not AssetSweep.objects.exists()


@pytest.mark.parametrize("body", [None, b"", b"[]", b"{}", b'{"name": "a web app"}'])
def test_release_whose_manifest_cannot_be_read_keeps_all_assets(promoted, backend, body):
    run_prune(backend)
    age()
    key = promoted[1].key(MANIFEST)
    backend.objects.delete([key])
    if body is not None:
        backend.objects.put(key, body, content_type="application/json", cache_control="no-store")
    done = run_prune(backend)
    assert promoted[1].name in done.left
    assert {asset("A"), asset("B")} <= set(stored(backend, "assets/"))


def test_store_with_unknown_releases_is_left_alone(operator, backend):
    operator.push("A")
    lose_history()
    operator.release("B")
    with pytest.raises(Refused) as refused:
        plan_prune(backend)
    assert refused.value.code == "history-behind"


# Interruptions


@pytest.mark.parametrize(
    ("make_error", "after"),
    [
        pytest.param(Killed, False, id="killed-before"),
        pytest.param(Killed, True, id="killed-after"),
        pytest.param(lambda: BackendUnavailable("503"), False, id="failed"),
        pytest.param(lambda: BackendUnavailable("timeout"), True, id="done-but-answer-lost"),
    ],
)
def test_killed_at_every_store_operation(operator, backend, replaced, make_error, after):
    """Each round promotes one more release, so one more is removed."""
    kept = [operator.release_of(site(f"0{n}", assets=[f"0{n}", "all"])) for n in range(2)]
    for release in kept:
        operator.promote(release)
    for number in itertools.count(1):
        assert number < 100
        kept.append(operator.release_of(site(str(number), assets=[f"n{number}", "all"])))
        operator.promote(kept[-1])
        run_prune(backend)
        age()
        fault = FaultPoint(number, make_error(), after=after)
        faulty = replaced(
            objects=fault.before(backend.objects), keyvalues=fault.before(backend.keyvalues)
        )
        try:
            run_prune(faulty)
        except (Killed, PartlyChanged, BackendUnavailable):
            assert fault.was_reached
        leaving, *kept = kept
        check_truth(operator, backend, leaving, kept)
        run_prune(backend)
        check_finished(backend, leaving, kept)
        if not fault.was_reached:
            break
    assert number > 10


def check_truth(operator, backend, leaving, kept):
    """Releases that are served or can be rolled back to are whole; no release exists in part."""
    assert operator.served() == kept[-1].name
    assert all(is_whole(backend, release) for release in kept)
    listed = {row["release"] for row in release_rows(99)}
    assert listed >= {release.name for release in kept}
    assert leaving.name not in listed or is_whole(backend, leaving)


def check_finished(backend, leaving, kept):
    assert stored(backend, leaving.key("")) == []
    names = {a.path for r in kept for a in read_manifest(backend.objects, r) if a.shared}
    assert set(stored(backend, "assets/")) == names
    leaving.refresh_from_db()
    assert leaving.removed_at
    assert leaving.marked_at is None
    assert set(Release.objects.complete()) == set(kept)
    assert not AssetSweep.objects.exists()


def test_interrupted_prune_shows_the_next_command(promoted, backend, replaced):
    run_prune(backend)
    age()
    plan = plan_prune(backend)
    objects = FaultPoint(2, KeyboardInterrupt()).before(backend.objects)
    with pytest.raises(PartlyChanged) as failed:
        carry_out(PruneRun(replaced(objects=objects), "olga", print), plan)
    assert failed.value.message.endswith("did not finish: interrupted.")
    assert "manage.py prune --yes" in failed.value.hint


def test_next_run_continues_after_time_is_up(promoted, backend):
    run_prune(backend)
    age()
    done = run_prune(backend, ends=0)
    assert (done.swept, done.left) == ({}, "time is up")
    assert run_prune(backend).swept


# The command and the task


def run(*arguments):
    out = StringIO()
    call_command("prune", *arguments, stdout=out)
    return out.getvalue()


def test_command_needs_yes(promoted, backend):
    assert "manage.py prune --yes" in run()
    answer = json.loads(run("--json"))
    assert (answer["dry_run"], answer["marked"]) == (True, [promoted[0].name])
    assert not Release.objects.filter(marked_at__isnull=False).exists()
    assert json.loads(run("--yes", "--dry-run", "--json"))["dry_run"]
    answer = json.loads(run("--yes", "--json"))
    assert not answer["dry_run"]
    assert Release.objects.get(marked_at__isnull=False) == promoted[0]
    assert list(json.loads(run("--json"))["waiting"]) == [promoted[0].name]


def test_dry_run_shows_what_will_be_removed(promoted, backend):
    run("--yes")
    age()
    would, did = (json.loads(run(*flags, "--json")) for flags in ([], ["--yes"]))
    changes = {"dry_run": False, "seconds": did["seconds"]}
    assert {**would, **changes} == did
    assert (did["files"], did["assets"]["files"]) == (5, 1)
    assert did["bytes"] == did["removed"][0]["bytes"] + did["assets"]["bytes"]
    assert run("--yes").startswith("Nothing to mark")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PRUNE_WAIT_HOURS", 0),
        ("PRUNE_WAIT_HOURS", 10**10),
        ("PRUNE_KEEP_NEWEST", -1),
        ("PRUNE_KEEP_NEWEST", 10**20),
        ("PRUNE_KEEP_DAYS", -1),
        ("PRUNE_KEEP_DAYS", 10**6),  # before the first year
        ("PRUNE_KEEP_DAYS", 10**10),
    ],
)
def test_settings_out_of_range_are_refused(db, settings, name, value):
    setattr(settings, name, value)
    with pytest.raises(CommandError) as refused:
        run("--yes")
    assert refused.value.returncode == 1
    assert f"{name} is {value}; expected" in str(refused.value)


def test_task_prunes_only_if_scheduled(promoted, settings):
    assert prune_task.prune_daily() is None
    assert not Release.objects.filter(marked_at__isnull=False).exists()
    settings.PRUNE_SCHEDULED = True
    assert prune_task.prune_daily() == {"marked": 1, "removed": 0, "left": ""}


def test_nothing_is_removed_from_an_empty_installation(backend):
    assert plan_prune(backend).kept == {}
    assert not run_prune(backend).swept
    assert Environment.objects.exists()
