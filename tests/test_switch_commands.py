"""Canaries, single surfaces, times, freezes, locks and questions of the switching commands."""

import builtins
import json
import sys
from datetime import datetime, timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from deployments.locks.deploy_lock import deploy_lock
from deployments.models import Deployment, Environment, Release
from deployments.releases.store import read_manifest
from edge.backends import get_backend
from tests.deployments.sites import write_site

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def no_patience(settings):
    settings.EDGE_PROBE_SECONDS = 0


def run(*arguments, **options):
    out = StringIO()
    call_command(*arguments, json=True, stdout=out, **options)
    return json.loads(out.getvalue())


def printed(*arguments, **options):
    out = StringIO()
    call_command(*arguments, stdout=out, **options)
    return out.getvalue()


def refused(*arguments, **options):
    with pytest.raises(CommandError) as failed:
        run(*arguments, **options)
    return failed.value.returncode, str(failed.value)


def fetch(path, host="localhost"):
    return get_backend().viewer.fetch(host, path)


@pytest.fixture
def two(tmp_path):
    """Make A live in production and B in staging, and return their names."""
    names = []
    for mark in "AB":
        names.append(run("push", source=write_site(tmp_path / mark, mark=mark))["release"])
        if mark == "A":
            run("promote", yes=True)
    return names


def test_canary_grows_and_ends(two):
    answer = run("promote", canary=5, yes=True)
    assert (answer["kind"], answer["percent"], answer["release"]) == ("canary", 5, two[1])
    assert answer["previous"] == two[0]
    assert run("promote", canary=25, yes=True)["percent"] == 25
    assert run("status")[1]["canary"] == {"release": two[1], "percent": 25, "margin": None}
    assert "canary" in printed("status")
    run("environment", "set", "production", canary_margin=20, yes=True)
    assert run("status")[1]["canary"]["margin"] == 20
    assert "ends if its pages are" in " ".join(printed("status").split())
    run("environment", "set", "production", canary_margin=0, yes=True)
    assert run("status")[1]["canary"]["margin"] is None
    assert run("rollback", yes=True)["release"] == two[0]
    assert run("status")[1]["canary"] is None


@pytest.mark.parametrize("share", ["0", "100", "-5", "five", "2.5", ""])
def test_invalid_percentage_is_a_usage_error(two, share):
    with pytest.raises(CommandError, match="use 1 to 99"):
        call_command("promote", f"--canary={share}")


def test_dry_run_shows_what_would_change(two):
    answer = run("promote", dry_run=True)
    assert answer["changes"] == {"added": 0, "changed": 5, "removed": 0, "headers": 0}
    assert "5 files changed" in printed("promote", dry_run=True)


def test_promoting_one_surface(two):
    answer = run("promote", only=["book"], yes=True)
    assert answer["release"] not in two
    assert b"<title>B" in fetch("/book/").body
    for path in ("/", "/track/", "/dashboard/"):
        assert b"<title>A" in fetch(path).body
        assert fetch(path).headers["x-amz-meta-release"] == answer["release"]


def test_promoting_one_surface_again_changes_nothing(two):
    first = run("promote", only=["book"], yes=True)
    again = run("promote", only=["book"], yes=True)
    assert (again["deployment"], again["release"]) == (None, first["release"])


def test_promoting_every_surface_gives_the_whole_release(two):
    surfaces = ["home", "book", "track", "dashboard"]
    assert run("promote", only=surfaces, yes=True)["release"] == two[1]


def test_composing_dry_run_writes_nothing(two):
    rows = Release.objects.count()
    objects = [one.key for one in get_backend().objects.list("")]
    answer = run("promote", only=["book"], dry_run=True)
    assert answer["changes"] == {"added": 0, "changed": 1, "removed": 0, "headers": 0}
    assert Release.objects.count() == rows
    assert [one.key for one in get_backend().objects.list("")] == objects


def test_composed_release_as_a_canary(two):
    answer = run("promote", only=["book"], canary=10, yes=True)
    assert (answer["kind"], answer["percent"]) == ("canary", 10)
    assert b"<title>A" in fetch("/").body


def test_composing_needs_confirmation_before_anything_is_stored(two):
    rows = Release.objects.count()
    code, line = refused("promote", only=["book"])
    assert (code, "--yes" in line) == (1, True)
    assert Release.objects.count() == rows


def test_smoke_checks_belong_to_their_surface(tmp_path):
    for mark in "AB":
        folder = write_site(tmp_path / mark, mark=mark)
        checks = [{"path": path, "text": f"<title>{mark}"} for path in ("/", "/book/")]
        (folder / "checks.json").write_text(json.dumps(checks))
        run("push", source=folder)
        if mark == "A":
            run("promote", yes=True)
    answer = run("promote", only=["book"], yes=True)
    release = Release.objects.get(name=answer["release"])
    body = get_backend().objects.get(release.key("checks.json")).body
    assert {row["path"]: row["text"] for row in json.loads(body)} == {
        "/": "<title>A",
        "/book/": "<title>B",
    }
    paths = [artifact.path for artifact in read_manifest(get_backend().objects, release)]
    assert paths.count("checks.json") == 1


def test_release_whose_checks_fail_is_not_deployed(two, tmp_path):
    folder = write_site(tmp_path / "C", mark="C")
    check = {"path": "/book/", "text": "no such text"}
    (folder / "checks.json").write_text(json.dumps([check]))
    rows = Deployment.objects.count()
    code, line = refused("push", source=folder)
    assert code == 1
    assert "/book/ does not contain 'no such text'" in line
    assert fetch("/book/", "staging.localhost").headers["x-amz-meta-release"] == two[1]
    assert Deployment.objects.count() == rows


def test_rollback_to_what_was_live_at_a_time(two):
    then = timezone.localtime()
    run("promote", yes=True)
    answer = run("rollback", at=then, yes=True)
    assert (answer["release"], answer["kind"]) == (two[0], "rollback")
    assert fetch("/").headers["x-amz-meta-release"] == two[0]


def test_rollback_to_a_time_when_nothing_was_live_is_refused(two):
    run("promote", yes=True)
    code, line = refused("rollback", "--at=2020-01-01 12:00", "--yes")
    assert code == 1
    assert "served nothing at 2020-01-01 12:00" in line


@pytest.mark.parametrize("text", ["yesterday", "2026-13-01", "2026-02-30 10:00", ""])
def test_invalid_time_is_a_usage_error(text):
    with pytest.raises(CommandError, match="is not a time; use"):
        call_command("rollback", f"--at={text}")


def test_release_and_time_exclude_each_other(two):
    with pytest.raises(CommandError, match="not allowed with"):
        call_command("rollback", two[0], "--at=2026-11-20")


def test_freeze_and_unfreeze(two):
    until = timezone.localtime() + timedelta(hours=2)
    answer = run("freeze", reason="stock-taking", until=until, yes=True)
    assert (answer["environment"], answer["reason"]) == ("production", "stock-taking")
    code, line = refused("promote", yes=True)
    assert (code, "stock-taking" in line) == (1, True)
    frozen = run("status")[1]["frozen"]
    assert frozen["reason"] == "stock-taking"
    assert datetime.fromisoformat(frozen["until"]) == until
    assert "frozen until" in printed("status")
    assert run("unfreeze", yes=True)["lifted"] == [{"reason": "stock-taking", "release": None}]
    assert run("promote", yes=True)["release"] == two[1]


def test_frozen_push_uploads_nothing(two, tmp_path):
    run("freeze", reason="exam", environment="staging")
    rows = Release.objects.count()
    code, _ = refused("push", source=write_site(tmp_path / "C", mark="C"))
    assert code == 1
    assert Release.objects.count() == rows


def test_frozen_environment_does_not_stop_an_upload(two, tmp_path):
    run("freeze", reason="exam", environment="staging")
    answer = run("push", source=write_site(tmp_path / "C", mark="C"), no_deploy=True)
    assert answer["environment"] is None


def test_freeze_and_unfreeze_dry_runs_change_nothing(two):
    run("freeze", reason="exam", dry_run=True)
    assert run("status")[1]["frozen"] is None
    run("freeze", reason="exam", yes=True)
    run("unfreeze", dry_run=True)
    assert run("status")[1]["frozen"]["reason"] == "exam"


def test_unfreezing_what_is_not_frozen_succeeds():
    assert run("unfreeze", yes=True)["lifted"] == []


def test_freeze_and_guard_are_shown_and_lifted_separately(two):
    run("promote", yes=True)
    run("rollback", reason="form broken", yes=True)
    guard = f"manage.py unfreeze --environment production --release {two[1]}"
    assert f"to lift it: {guard}" in printed("unfreeze", yes=True)
    assert "Nothing to do: production has no freeze" in printed("unfreeze", yes=True)
    run("freeze", reason="exam", yes=True)
    status = run("status")[1]
    assert status["frozen"]["reason"] == "exam"
    assert [one["release"] for one in status["guards"]] == [two[1]]
    assert f"guard on {two[1]}: Rolled back from: form broken" in printed("status")
    (lifted,) = run("unfreeze", release=two[1], yes=True)["lifted"]
    assert lifted == {"reason": "Rolled back from: form broken", "release": two[1]}
    status = run("status")[1]
    assert (status["frozen"]["reason"], status["guards"]) == ("exam", [])
    assert run("unfreeze", release=two[1], yes=True)["lifted"] == []


def test_guard_on_an_unknown_release_is_refused(two):
    assert refused("unfreeze", release="20200101-000000-00000000", yes=True)[0] == 1


def test_freezing_production_needs_confirmation(two):
    assert refused("freeze", reason="exam")[0] == 1
    assert run("status")[1]["frozen"] is None


@pytest.fixture
def production():
    return Environment.objects.get(name="production")


def test_held_lock_says_who_since_when_and_why(two, production):
    with deploy_lock(environment=production, actor="otto@desk", reason="Promotion of X"):
        code, line = refused("promote", yes=True)
    assert code == 3
    assert "locked by otto@desk (since" in line
    assert "Promotion of X" in line
    assert "--lock-wait 60" in line


def test_waiting_in_vain_for_a_lock_exits_with_3(two, production):
    with deploy_lock(environment=production, actor="otto", reason="Promotion"):
        assert refused("promote", yes=True, lock_wait=0.2)[0] == 3


def test_lock_can_be_taken_over(two, production):
    with deploy_lock(environment=production, actor="otto", reason="Promotion"):
        assert run("promote", yes=True, take_over=True)["release"] == two[1]


def test_taking_over_a_lock_needs_confirmation(tmp_path):
    staging = Environment.objects.get(name="staging")
    with deploy_lock(environment=staging, actor="otto", reason="Push"):
        code, line = refused("push", source=write_site(tmp_path / "A"), take_over=True)
        assert (code, "--yes" in line) == (1, True)
        assert not Release.objects.exists()


def test_taking_over_for_one_surface_needs_confirmation(two):
    staging = Environment.objects.get(name="staging")
    back = {"source": "production", "to": "staging", "only": ["book"]}
    with deploy_lock(environment=staging, actor="otto", reason="Push"):
        code, line = refused("promote", take_over=True, **back)
    assert (code, "--yes" in line) == (1, True)
    assert fetch("/book/", "staging.localhost").headers["x-amz-meta-release"] == two[1]


def test_promoting_one_surface_does_not_end_a_canary(two):
    run("promote", canary=5, yes=True)
    for how in ({}, {"canary": 25}, {"dry_run": True}):
        code, line = refused("promote", only=["book"], yes=True, **how)
        assert (code, f"promote --release {two[1]}" in line) == (1, True)
    assert run("status")[1]["canary"] == {
        "release": two[1],
        "percent": 5,
        "margin": None,
    }


def test_canary_of_one_surface_can_grow_and_be_finished(two):
    first = run("promote", only=["book"], canary=5, yes=True)["release"]
    assert run("promote", only=["book"], canary=25, yes=True)["percent"] == 25
    assert run("promote", only=["book"], yes=True)["release"] == first
    assert run("status")[1]["canary"] is None


def test_promoting_one_surface_needs_a_live_release(tmp_path):
    run("push", source=write_site(tmp_path / "A"))
    code, line = refused("promote", only=["book"], yes=True)
    assert (code, "Promote without --only first" in line) == (1, True)


def test_promoting_one_surface_does_not_undo_another_promotion(two, answer):
    """While one operator is asked about the booking pages, another promotes the home page."""

    def promote_the_other():
        run("promote", only=["home"], yes=True)
        return "y"

    answer(promote_the_other)
    code, line = refused("promote", only=["book"])
    assert (code, "when this was decided" in line) == (3, True)
    assert b"<title>B" in fetch("/").body
    run("promote", only=["book"], yes=True)
    assert b"<title>B" in fetch("/").body
    assert b"<title>B" in fetch("/book/").body


@pytest.fixture
def answer(monkeypatch):
    """Return a function that answers questions at a terminal with what `reply` returns."""

    def sit(reply):
        monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
        monkeypatch.setattr(builtins, "input", lambda prompt: reply())

    return sit


def test_question_is_not_part_of_the_json(two, answer, capsys):
    answer(lambda: "y")
    call_command("promote", json=True)
    output = capsys.readouterr()
    assert json.loads(output.out)["release"] == two[1]
    assert f"Point production at {two[1]}? [y/N]" in output.err


@pytest.mark.parametrize("reply", ["", "n", "yess"])
def test_any_other_answer_than_yes_is_no(two, answer, reply):
    answer(lambda: reply)
    code, line = refused("promote")
    assert (code, line) == (1, "Not confirmed; nothing was changed.")


def test_end_of_input_is_no(two, answer):
    def end():
        raise EOFError

    answer(end)
    assert refused("promote") == (1, "Not confirmed; nothing was changed.")


def test_closed_standard_input_is_not_a_terminal(two, monkeypatch):
    monkeypatch.setattr(sys, "stdin", None)
    code, line = refused("promote")
    assert (code, "--yes" in line) == (1, True)


def test_answer_applies_to_the_plan_that_was_shown(two, answer, tmp_path):
    """While one operator is asked, another promotes something else."""

    def meanwhile():
        other = run("push", source=write_site(tmp_path / "C", mark="C"))["release"]
        run("promote", yes=True, release=other)
        return "y"

    answer(meanwhile)
    code, line = refused("promote")
    assert (code, "when this was decided" in line) == (3, True)
    assert b"<title>C" in fetch("/").body


@pytest.mark.parametrize("text", ["nan", "inf", "-1", "soon", ""])
def test_invalid_lock_wait_is_a_usage_error(two, text):
    with pytest.raises(CommandError, match="is not a number of seconds"):
        call_command("promote", f"--lock-wait={text}")


@pytest.mark.parametrize("command", ["promote", "rollback", "push_functions", "freeze"])
def test_reason_that_is_too_long_is_a_usage_error(command):
    with pytest.raises(CommandError, match="has 301 characters, and the history keeps 300"):
        call_command(command, f"--reason={'x' * 301}")


def test_reason_in_another_encoding_is_a_usage_error():
    with pytest.raises(CommandError, match="not valid UTF-8"):
        call_command("promote", "--reason=T\udcfcr")


@pytest.mark.parametrize("text", ["9999-12-31T23:59-05:00", "0001-01-01T00:00+05:00"])
def test_time_beyond_the_calendar_is_a_usage_error(text):
    with pytest.raises(CommandError, match="is not a time; use"):
        call_command("rollback", f"--at={text}")


@pytest.mark.parametrize("how", [{"reason": " "}, {"reason": "late", "until": "2020-01-01"}])
def test_freeze_dry_run_refuses_what_freeze_refuses(how):
    arguments = [f"--{name}={value}" for name, value in how.items()]
    assert refused("freeze", "--dry-run", *arguments)[0] == 1


def test_tables_show_text_as_typed(two):
    reason = "[ci] see [/runbook] :tada:"
    run("freeze", f"--reason={reason}", yes=True)
    shown = printed("status")
    assert [word for word in reason.split() if word not in shown] == []
