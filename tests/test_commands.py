"""The commands as an operator uses them: exit codes, --json, --dry-run, confirmation."""

import json
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from deployments.models import Deployment, Environment, Release
from deployments.routing import functions
from dispatch.models import Job, JobEvent
from edge.backends import get_backend
from edge.protocols import FunctionTest
from tests.builders import make_crew
from tests.deployments.sites import write_site

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def no_patience(settings):
    settings.EDGE_PROBE_SECONDS = 0


@pytest.fixture
def site(tmp_path):
    return lambda mark="A": write_site(tmp_path / f"site-{mark}", mark=mark)


def run(*arguments, **options):
    """Run a command with --json and return its output, which must be one JSON document."""
    out = StringIO()
    call_command(*arguments, json=True, stdout=out, **options)
    return json.loads(out.getvalue())


def refused(*arguments, **options):
    """Run a command that must fail, and return its exit code and message of one line."""
    with pytest.raises(CommandError) as failed:
        run(*arguments, **options)
    assert "\n" not in str(failed.value)
    return failed.value.returncode, str(failed.value)


def live(name):
    deployment = Environment.objects.get(name=name).live
    return deployment.release.name if deployment else None


def promoted(site, mark):
    """Push and promote a site, and return the release's name."""
    release = run("push", source=site(mark))["release"]
    run("promote", yes=True)
    return release


def test_push_prints_the_documented_json(site):
    answer = run("push", source=site(), message="first")
    assert set(answer) == {
        "release",
        "digest",
        "files",
        "bytes",
        "uploaded",
        "copied",
        "skipped",
        "writes",
        "dollars",
        "seconds",
        "environment",
    }
    assert (answer["files"], answer["uploaded"], answer["environment"]) == (6, 6, "staging")
    # Six files, the manifest and the audit object.
    assert (answer["writes"], answer["dollars"]) == (8, 0.00004)
    assert live("staging") == answer["release"]


def test_push_without_a_source_builds_the_surfaces():
    answer = run("push")
    assert set(Release.objects.get(name=answer["release"]).pages) == {
        "home",
        "book",
        "home-es",
        "book-es",
        "track",
        "dashboard",
    }


def test_pushing_again_gives_the_same_release_and_uploads_nothing(site):
    first, again = run("push", source=site()), run("push", source=site())
    assert again["release"] == first["release"]
    assert (again["uploaded"], again["skipped"]) == (0, 6)


def test_push_copies_unchanged_documents_within_the_store(site, tmp_path):
    run("push", source=site("A"))
    folder = tmp_path / "site-A"
    (folder / "index.html").write_text("changed")
    answer = run("push", source=folder)
    assert (answer["uploaded"], answer["copied"], answer["skipped"]) == (1, 4, 1)


def test_push_does_not_end_a_canary_unasked(site):
    for mark in "AB":
        last = run("push", source=site(mark))["release"]
        run("promote", yes=True, canary=None if mark == "A" else 5)
    first = live("production")
    code, message = refused("push", source=site("C"), to="production", yes=True)
    assert (code, live("production")) == (1, first)
    assert f"promote --release {last} --to production" in message
    assert refused("push", source=site("C"), to="production", dry_run=True) == (code, message)
    assert Release.objects.count() == 2
    # Uploading is still allowed, and so is deploying the canary's own release.
    assert run("push", source=site("C"), to="production", no_deploy=True)["uploaded"]
    run("push", source=site("B"), to="production", yes=True)
    assert live("production") == last


def test_push_without_deploying_changes_no_environment(site):
    answer = run("push", source=site(), no_deploy=True)
    assert answer["environment"] is None
    assert live("staging") is None


def test_push_dry_run_writes_nothing(site, settings):
    answer = run("push", source=site(), dry_run=True)
    assert answer["release"] is None
    assert answer["uploaded"] == 6
    assert not Release.objects.exists()
    assert not list(settings.EDGE_STORE_DIR.rglob("*.html*"))


def test_promote_prints_the_documented_json(site):
    pushed = run("push", source=site())
    answer = run("promote", yes=True)
    assert set(answer) == {
        "deployment",
        "environment",
        "release",
        "previous",
        "kind",
        "invalidated",
        "seconds",
        "tracking_check",
    }
    assert answer["release"] == pushed["release"]
    assert (answer["kind"], answer["previous"]) == ("promote", None)


def test_promoting_what_is_live_says_so_and_succeeds(site):
    promoted(site, "A")
    out = StringIO()
    call_command("promote", yes=True, stdout=out)
    assert "Nothing to do" in out.getvalue()


def test_promote_dry_run_changes_nothing(site):
    run("push", source=site())
    assert run("promote", dry_run=True)["deployment"] is None
    assert live("production") is None


def test_production_needs_confirmation(site):
    run("push", source=site())
    code, message = refused("promote")
    assert code == 1
    assert "--yes" in message
    assert live("production") is None


def test_rollback_returns_to_the_replaced_release(site):
    first, second = promoted(site, "A"), promoted(site, "B")
    answer = run("rollback", yes=True, reason="broken form")
    assert (answer["release"], answer["previous"], answer["kind"]) == (first, second, "rollback")
    assert Deployment.objects.last().reason == "broken form"


def test_rollback_to_an_unknown_release_is_refused(site):
    promoted(site, "A")
    second = promoted(site, "B")
    code, message = refused("rollback", "20200101-000000-00000000", yes=True)
    assert code == 1
    assert "manage.py releases" in message
    assert live("production") == second


def test_rollback_to_a_release_that_was_never_live_is_refused(site):
    promoted(site, "A")
    pushed = run("push", source=site("B"))["release"]
    code, message = refused("rollback", pushed, yes=True)
    assert code == 1
    assert f"promote --release {pushed}" in message


def test_rollback_with_nothing_before_is_refused(site):
    promoted(site, "A")
    assert refused("rollback", yes=True)[0] == 1


def test_promote_with_nothing_in_staging_is_refused():
    code, message = refused("promote", yes=True)
    assert code == 1
    assert "manage.py push" in message
    assert not Deployment.objects.exists()


@pytest.mark.parametrize("source", ["missing", "empty"])
def test_push_from_a_source_without_files_is_refused(tmp_path, source):
    (tmp_path / "empty").mkdir()
    code, _ = refused("push", source=tmp_path / source)
    assert code == 1
    assert not Release.objects.exists()


@pytest.mark.parametrize("source", ["", " "])
def test_push_with_an_unset_variable_as_source_is_refused(source):
    """An empty path would mean the current folder."""
    with pytest.raises(CommandError, match="--source: the path is empty"):
        call_command("push", "--source", source)


def test_push_refuses_a_message_that_is_too_long_for_the_history(site):
    longest = "m" * Release._meta.get_field("message").max_length
    with pytest.raises(CommandError, match="history keeps 300"):
        call_command("push", f"--message={longest}!")
    answer = run("push", f"--source={site()}", f"--message={longest}")
    assert Release.objects.get(name=answer["release"]).message == longest


def test_push_without_a_page_is_refused(tmp_path):
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "notes.txt").write_text("x")
    code, message = refused("push", source=tmp_path / "site")
    assert code == 1
    assert "index.html" in message


def test_push_refuses_an_asset_with_other_content(site, tmp_path):
    run("push", source=site("A"))
    (tmp_path / "site-A/assets/site.0123456789ab.css").write_text("other")
    code, message = refused("push", source=tmp_path / "site-A")
    assert code == 1
    assert "hash of its content" in message


def test_unknown_environment_is_refused(site):
    code, message = refused("push", source=site(), to="moon")
    assert code == 1
    assert "staging, production" in message


def test_push_functions_tries_out_and_publishes(site, ship_function):
    run("push", source=site())
    source = "// a new line\n" + Environment.objects.get(name="staging").live.function.source
    ship_function(source)
    answer = run("push_functions")
    assert answer["kind"] == "function"
    assert Environment.objects.get(name="staging").live.function.source == source
    run("promote", yes=True)
    assert Environment.objects.get(name="production").live.function.source == source


@pytest.mark.parametrize(
    "source",
    [
        "async function handler(event) { return event.request; }",  # leads nowhere
        "async function handler(event) { throw new Error('no'); }",
        "async function handler(event { return event.request; }",  # does not parse
        "// " + "x" * 10_240 + "\nasync function handler(event) { return event.request; }",
    ],
    ids=["wrong", "throws", "syntax", "too-large"],
)
def test_push_functions_refuses_a_function_that_does_not_work(site, ship_function, source):
    run("push", source=site())
    before = Environment.objects.get(name="staging").live
    ship_function(source)
    assert refused("push_functions")[0] == 1
    assert Environment.objects.get(name="staging").live == before


@pytest.mark.parametrize("source", ["/" * 10_241, "function handler(event) { let = ; }"])
def test_first_push_refuses_a_function_that_cloudfront_would_refuse(site, ship_function, source):
    ship_function(source)
    assert refused("push", source=site())[0] == 1
    assert not Release.objects.exists()


def test_push_functions_shows_the_compute_time_used(site, monkeypatch):
    run("push", source=site())
    measured = [FunctionTest(output={}, error="", utilization=percent) for percent in (23, 31)]
    monkeypatch.setattr(functions, "try_out", lambda *args: measured)
    out = StringIO()
    call_command("push_functions", stdout=out)
    assert "31% of the compute time" in out.getvalue()


def test_push_functions_before_any_release_is_refused():
    assert refused("push_functions")[0] == 1


def test_rollback_restores_the_function_that_the_release_ran_with(site, ship_function):
    first = promoted(site, "A")
    old = Environment.objects.get(name="production").live.function
    ship_function(old.source + "// v2\n")
    run("push", source=site("B"))
    run("push_functions")
    run("promote", yes=True)
    assert Environment.objects.get(name="production").live.function != old
    run("rollback", first, yes=True)
    assert Environment.objects.get(name="production").live.function == old


def test_status_finds_no_drift_after_a_promotion(site):
    release = promoted(site, "A")
    rows = {row["environment"]: row for row in run("status")}
    assert set(rows["production"]) == {
        "environment",
        "release",
        "previous",
        "since",
        "actor",
        "function",
        "frozen",
        "guards",
        "drift",
        "canary",
        "maintenance",
        "tracking",
        "timings",
        "tracking_check",
    }
    assert [rows[name]["release"] for name in ("staging", "production")] == [release, release]
    assert rows["production"]["drift"] == []


def test_status_shows_drift_and_the_command_that_repairs_it(site):
    release = promoted(site, "A")
    store = get_backend().keyvalues
    store.update(puts={}, deletes=["host:localhost"], if_match=store.etag())
    drift = {row["environment"]: row["drift"] for row in run("status")}["production"]
    assert drift
    assert f"manage.py promote --release {release} --to production --yes" in drift[0]
    run("promote", release=release, yes=True)
    assert {row["environment"]: row["drift"] for row in run("status")}["production"] == []


def test_releases_and_history_list_newest_first(site):
    first, second = promoted(site, "A"), promoted(site, "B")
    rows = run("releases")
    assert [row["release"] for row in rows] == [second, first]
    assert rows[0]["live_in"] == ["staging", "production"]
    kinds = [(row["environment"], row["kind"], row["result"]) for row in run("history")]
    assert kinds[:2] == [
        ("production", "promote", "succeeded"),
        ("staging", "push", "succeeded"),
    ]
    assert {row["environment"] for row in run("history", environment="staging")} == {"staging"}


@pytest.mark.parametrize("command", ["releases", "history"])
@pytest.mark.parametrize("limit", ["0", "-1", "x", "", "1.5", "99999999999999999999"])
def test_list_refuses_an_invalid_number_of_rows(command, limit):
    with pytest.raises(CommandError, match="use 1 to 999999"):
        call_command(command, f"--limit={limit}")


@pytest.mark.parametrize("command", ["releases", "history"])
def test_list_has_as_many_rows_as_the_limit(site, command):
    for mark in "AB":
        promoted(site, mark)
    assert len(run(command, "--limit=1")) == 1
    assert len(run(command, "--limit=2")) == 2


@pytest.mark.parametrize("command", ["releases", "history", "status"])
def test_tables_are_readable_before_the_first_deployment(command):
    out = StringIO()
    call_command(command, stdout=out)
    assert out.getvalue().strip()


JOB = {
    "name": "Mark Ellison",
    "phone": "907-456-0142",
    "address": "1423 Soderblom Avenue, Fairbanks, 99709",
    "price": "600 all-in",
}
WINDOW = "2096-11-23 9-11"


def test_create_job_prints_number_and_link():
    answer = run("create_job", status="ready_for_pickup", window=WINDOW, **JOB)
    assert set(answer) == {"number", "token", "url", "status"}
    assert answer["url"].endswith(f"/track/{answer['token']}")
    assert answer["status"] == "ready_for_pickup"


def test_create_job_dry_run_writes_nothing():
    run("create_job", dry_run=True, **JOB)
    assert not Job.objects.exists()


@pytest.mark.parametrize(
    "wrong",
    [
        {"phone": ""},
        {"phone": "12"},
        {"name": "Jos\udce9"},
        {"address": "nowhere"},
        {"price": "much"},
        {"service": "x"},
        {"status": "lost"},
        {"status": "scheduled"},
        {"window": "9-11"},
        {"crew": "Nobody"},
    ],
    ids=ascii,
)
def test_create_job_refuses_invalid_values(wrong):
    assert refused("create_job", **{**JOB, **wrong})[0] == 1
    assert not Job.objects.exists()


def test_job_status_moves_a_job():
    number = run("create_job", **JOB)["number"]
    answer = run("job_status", number, "scheduled", window=WINDOW)
    assert (answer["before"], answer["status"]) == ("requested", "scheduled")
    assert Job.objects.get().status == "scheduled"


@pytest.mark.parametrize("status", ["lost", "on_site"], ids=["unknown", "impossible"])
def test_job_status_refuses_and_changes_nothing(status):
    number = run("create_job", **JOB)["number"]
    events = JobEvent.objects.count()
    code, message = refused("job_status", number, status)
    assert code == 1
    assert "scheduled" in message
    assert (Job.objects.get().status, JobEvent.objects.count()) == ("requested", events)


@pytest.mark.parametrize("dry_run", [False, True])
def test_job_status_cancels_only_with_side_and_reason(dry_run):
    number = run("create_job", **JOB)["number"]
    for given in [{}, {"reason": "sold it"}, {"side": "customer", "reason": " "}]:
        code, message = refused("job_status", number, "cancelled", dry_run=dry_run, **given)
        assert (code, message.startswith(f"Cancelling {number} needs")) == (1, True)


def test_job_status_walks_several_steps():
    number = run("create_job", **JOB)["number"]
    given = {"window": WINDOW, "crew": make_crew().name, "reason": "early"}
    answer = run("job_status", number, "en_route", **given)
    assert (answer["before"], answer["status"]) == ("requested", "en_route")
    statuses = JobEvent.objects.filter(kind="status").values_list("status", flat=True)
    assert list(statuses) == ["scheduled", "ready_for_pickup", "en_route"]


def test_job_status_names_all_that_the_steps_need():
    number = run("create_job", **JOB)["number"]
    events = JobEvent.objects.count()
    message = refused("job_status", number, "en_route")[1]
    for lack in ("no arrival window", "no crew"):
        assert lack in message
    assert JobEvent.objects.count() == events


@pytest.mark.parametrize("dry_run", [True, False])
def test_job_status_steps_back(dry_run):
    number = run("create_job", **JOB)["number"]
    run("job_status", number, "scheduled", window=WINDOW)
    given = {"back": True, "reason": "wrong job", "dry_run": dry_run}
    answer = run("job_status", number, **given)
    assert (answer["before"], answer["status"]) == ("scheduled", "requested")
    assert Job.objects.get().status == ("scheduled" if dry_run else "requested")
    assert JobEvent.objects.filter(reason="wrong job").exists() != dry_run


def test_job_status_steps_back_only_with_a_reason_and_a_step():
    number = run("create_job", **JOB)["number"]
    assert refused("job_status", number, back=True, reason="wrong job")[0] == 1
    run("job_status", number, "scheduled", window=WINDOW)
    assert refused("job_status", number, back=True)[0] == 1
    assert Job.objects.get().status == "scheduled"


@pytest.mark.parametrize(
    "given", [["--back", "scheduled"], ["--back", "--force"], ["--back", "--crew=Birch"], []]
)
def test_job_status_needs_a_status_or_back(given):
    number = run("create_job", **JOB)["number"]
    assert refused("job_status", number, *given)[0] == 2


def test_job_status_takes_its_status_after_options():
    number = run("create_job", **JOB)["number"]
    answer = run("job_status", number, "--window", WINDOW, "scheduled")
    assert answer["status"] == "scheduled"


def test_job_status_refuses_a_reason_that_is_too_long():
    number = run("create_job", **JOB)["number"]
    message = refused("job_status", number, "scheduled", f"--reason={'x' * 301}")[1]
    assert "history keeps 300" in message
    assert Job.objects.get().status == "requested"


def test_job_status_again_changes_nothing():
    number = run("create_job", **JOB)["number"]
    assert run("job_status", number, "requested")["before"] == "requested"


def test_job_status_of_an_unknown_job_is_refused():
    assert refused("job_status", "QDN-99999", "scheduled")[0] == 1


def test_publish_tracking_writes_what_is_behind(settings):
    run("create_job", **JOB)
    run("publish_tracking")
    assert list((settings.EDGE_STORE_DIR / "jobs").rglob("*"))


def test_releases_shows_which_are_pinned_marked_and_removed(site):
    first, second, third = (
        run("push", source=site(mark), no_deploy=True)["release"] for mark in "ABC"
    )
    run("pin", second)
    now = timezone.now()
    Release.objects.filter(name=third).update(marked_at=now)
    Release.objects.filter(name=first).update(removed_at=now)
    rows = [(row["release"], row["state"], row["pinned"]) for row in run("releases", all=True)]
    assert rows == [
        (third, "marked", False),
        (second, "whole", True),
        (first, "removed", False),
    ]
    assert [row["release"] for row in run("releases")] == [third, second]
    out = StringIO()
    call_command("releases", stdout=out)
    assert "whole, pinned" in out.getvalue()


def test_history_can_be_filtered(site):
    first, second = promoted(site, "A"), promoted(site, "B")
    assert {row["release"] for row in run("history", release=first)} == {first}
    assert [row["kind"] for row in run("history", kind="promote")] == ["promote", "promote"]
    last = Deployment.objects.last()
    (row,) = run("history", since=last.at)
    assert (row["release"], row["percent"]) == (second, None)
    out = StringIO()
    call_command("history", since=last.at + timedelta(seconds=1), stdout=out)
    assert "No deployment matches" in out.getvalue()


def test_history_shows_the_share_of_a_canary(site):
    promoted(site, "A")
    run("push", source=site("B"))
    run("promote", canary=5, yes=True)
    assert run("history")[0]["percent"] == 5
    out = StringIO()
    call_command("history", stdout=out)
    assert "canary 5%" in out.getvalue()
