"""Retention: what is needed stays, the rest is marked, waits, and goes; whole or not at all."""

import itertools
import json
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from django_q.models import Schedule

from deployments.errors import ChangedMeanwhile, PartlyChanged, Refused
from deployments.models import AssetSweep, Deployment, Environment, Release
from deployments.releases.manifest import MANIFEST
from deployments.releases.store import read_manifest
from deployments.retention import task as prune_task
from deployments.retention.pin import pin
from deployments.retention.plan import plan_prune
from deployments.retention.prune import Pruning, prune
from deployments.verification.reports import release_rows
from deployments.verification.verify import verify
from edge.errors import BackendUnavailable
from tests.deployments.doubles import FaultPoint, Killed
from tests.deployments.losing import lose_history

DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def policy(settings):
    """Keep nothing but for a reason."""
    settings.PRUNE_KEEP_DAYS = 0
    settings.PRUNE_KEEP_NEWEST = 0
    settings.PRUNE_WAIT_HOURS = 24


def run_prune(backend, **options):
    return prune(Pruning(backend, "olga", print, **options), plan_prune(backend))


def age(**fields):
    """Let marks, and pushes that did not finish, be as old as needed."""
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
    """Files of a small release; `assets` are names of shared ones."""
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
    """Let production have served A, B, C in turn: each has an asset of its own and a shared one."""
    releases = []
    for mark in "ABC":
        releases.append(operator.release_of(site(mark, assets=[mark, "all"])))
        operator.promote(releases[-1])
    return releases


def test_unneeded_release_is_marked_and_removed_when_it_has_waited(promoted, backend):
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


def test_audit_object_tells_of_the_removal(promoted, backend):
    prune_fully(backend)
    body = backend.objects.get(f"audit/releases/{promoted[0]}.json").body
    assert json.loads(body)["removed_at"] == Release.objects.earliest("pk").removed_at.isoformat()


def test_listing_shows_what_there_is(promoted, backend):
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
    pin(objects=backend.objects, release=pinned)
    kept = plan_prune(backend).kept
    assert kept == {
        promoted[2].name: "live in production",
        promoted[1].name: "before in production",
        promoted[0].name: "live in production in the last 30 days",
        pinned.name: "pinned",
        newest.name: "among the newest 1",
    }


def test_what_was_live_before_the_last_days_goes(promoted, backend, settings, time_machine):
    settings.PRUNE_KEEP_DAYS = 30
    time_machine.move_to(timezone.now() + 31 * DAY)
    assert [one.name for one in plan_prune(backend).marks] == [promoted[0].name]


def test_release_the_routes_name_stays_whatever_the_history_says(operator, backend):
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


def test_by_copy_what_open_pages_refer_to_stays(operator, backend, production):
    production.strategy = "copy"
    production.save()
    releases = []
    for mark in "ABCD":
        releases.append(operator.release_of(site(mark, assets=[mark])))
        operator.promote(releases[-1])
    operator.rollback()
    prune_fully(backend)
    # C is live, B would be next; open pages refer to files of D.
    assert list(Release.objects.complete().order_by("pk")) == releases[1:]
    assert verify(backend, production)["drift"] == []


def test_what_is_needed_again_loses_its_mark(promoted, operator, backend):
    run_prune(backend)
    operator.promote(promoted[0])
    assert Release.objects.get(name=promoted[0].name).marked_at is None
    Release.objects.filter(name=promoted[1].name).update(marked_at=timezone.now())
    plan = plan_prune(backend)
    assert plan.lifts == []  # B was before C, and now C is before A
    Release.objects.filter(name=promoted[0].name).update(marked_at=timezone.now())
    run_prune(backend)
    assert Release.objects.get(name=promoted[0].name).marked_at is None


# Others at work meanwhile


@pytest.mark.parametrize("use", ["promote", "push", "pin"])
def test_who_uses_a_release_meanwhile_comes_first(promoted, operator, backend, use):
    run_prune(backend)
    age()
    plan = plan_prune(backend)
    assert list(plan.sweeps) == [promoted[0]]
    if use == "promote":
        operator.promote(promoted[0])
    elif use == "push":
        operator.release_of(site("A", assets=["A", "all"]))
    else:
        pin(objects=backend.objects, release=promoted[0])
    done = prune(Pruning(backend, "olga", print), plan)
    assert done.swept == {}
    assert is_whole(backend, promoted[0])


def test_who_comes_after_is_told(promoted, operator, backend):
    prune_fully(backend)
    with pytest.raises(Refused) as refused:
        operator.promote(promoted[0])  # looked up before
    assert refused.value.code == "objects-gone"
    with pytest.raises(Refused) as refused:
        operator.promote(Release.objects.get(pk=promoted[0].pk))
    assert refused.value.code == "release-removed"


def test_assets_of_an_unfinished_push_stay(promoted, operator, backend, replaced):
    class NoManifest:
        def put(self, key, *args, **kwargs):
            if key.endswith(MANIFEST):
                raise Killed
            return backend.objects.put(key, *args, **kwargs)

        def __getattr__(self, name):
            return getattr(backend.objects, name)

    operator.backend = replaced(objects=NoManifest())
    files = site("D", assets=["D", "A"])
    with pytest.raises(Killed):
        operator.release_of(files)
    operator.backend = backend
    run_prune(backend)
    Release.objects.filter(marked_at__isnull=False).update(marked_at=timezone.now() - 2 * DAY)
    done = run_prune(backend)
    assert list(done.swept) == [promoted[0].name]
    assert "pushing" in done.left
    assert {asset("D"), asset("A")} <= set(stored(backend, "assets/"))
    release = operator.release_of(files)
    assert is_whole(backend, release)
    done = run_prune(backend)  # what was left
    assert done.left == ""
    assert is_whole(backend, release)


def test_push_that_never_finished_goes_with_its_assets(operator, backend, replaced):
    class NoManifest:
        def put(self, key, *args, **kwargs):
            if key.endswith(MANIFEST):
                raise Killed
            return backend.objects.put(key, *args, **kwargs)

        def __getattr__(self, name):
            return getattr(backend.objects, name)

    kept = operator.release_of(site("A", assets=["A"]))
    operator.promote(kept)
    operator.backend = replaced(objects=NoManifest())
    with pytest.raises(Killed):
        operator.release_of(site("D", assets=["D"]))
    age()
    prune_fully(backend)
    assert stored(backend, "assets/") == [asset("A")]
    assert stored(backend, "releases/") == stored(backend, kept.key(""))
    assert Release.objects.present().get() == kept


def test_push_that_slept_for_days_is_not_taken_for_whole(promoted, operator, backend, replaced):
    """A laptop was closed half way, and prune took the push for one that never ended."""

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


def test_push_that_begins_meanwhile_stops_the_removal_of_assets(
    promoted, backend, replaced, monkeypatch
):
    monkeypatch.setattr("deployments.retention.prune.AT_ONCE", 1)
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
    done = prune(Pruning(replaced(objects=Pushing()), "olga", print), plan)
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


def test_store_with_releases_the_history_does_not_know_is_left_alone(operator, backend):
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
    """Each round promotes one more release, so that one more goes."""
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
    """What is served and can be rolled back to is whole; a release is whole or not there."""
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


def test_prune_that_is_stopped_by_hand_says_how_to_go_on(promoted, backend, replaced):
    run_prune(backend)
    age()
    plan = plan_prune(backend)
    objects = FaultPoint(2, KeyboardInterrupt()).before(backend.objects)
    with pytest.raises(PartlyChanged) as failed:
        prune(Pruning(replaced(objects=objects), "olga", print), plan)
    assert failed.value.message.endswith("did not finish: interrupted.")
    assert "manage.py prune --yes" in failed.value.hint


def test_run_out_of_time_is_gone_on_with(promoted, backend):
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


def test_command_does_nothing_unless_told(promoted, backend):
    assert "manage.py prune --yes" in run()
    told = json.loads(run("--json"))
    assert (told["dry_run"], told["marked"]) == (True, [promoted[0].name])
    assert not Release.objects.filter(marked_at__isnull=False).exists()
    assert json.loads(run("--yes", "--dry-run", "--json"))["dry_run"]
    told = json.loads(run("--yes", "--json"))
    assert not told["dry_run"]
    assert Release.objects.get(marked_at__isnull=False) == promoted[0]
    assert list(json.loads(run("--json"))["waiting"]) == [promoted[0].name]


def test_dry_run_tells_what_will_be_removed(promoted, backend):
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
def test_settings_that_cannot_be_meant_are_refused(db, settings, name, value):
    setattr(settings, name, value)
    with pytest.raises(CommandError) as refused:
        run("--yes")
    assert refused.value.returncode == 1
    assert f"{name} is {value}, expected" in str(refused.value)


def test_task_prunes_only_where_it_shall(promoted, settings):
    assert prune_task.prune_daily() is None
    assert not Release.objects.filter(marked_at__isnull=False).exists()
    settings.PRUNE_SCHEDULED = True
    assert prune_task.prune_daily() == {"marked": 1, "removed": 0, "left": ""}


def test_task_is_scheduled_once_a_day(db):
    schedule = Schedule.objects.get(func="deployments.retention.task.prune_daily")
    assert schedule.schedule_type == Schedule.DAILY
    assert callable(prune_task.prune_daily)


def test_nothing_is_removed_from_an_empty_installation(backend):
    assert plan_prune(backend).kept == {}
    assert not run_prune(backend).swept
    assert Environment.objects.exists()
