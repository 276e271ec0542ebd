"""The commands `push --branch` and `previews`, and the daily task."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from deployments.models import BranchPreview
from deployments.previews.tasks import expire_daily
from edge.backends.local.rows import RowKeyValueStore
from edge.database_clock import database_now
from edge.errors import BackendUnavailable
from tests.deployments.sites import write_site

pytestmark = pytest.mark.django_db
BRANCH = "feature/login"
URL = "http://feature-login.preview.localhost:8000/"


@pytest.fixture
def site(settings, tmp_path):
    settings.EDGE_PROBE_SECONDS = 0
    return write_site(tmp_path / "site")


def run(command, *arguments):
    out = StringIO()
    call_command(command, *map(str, arguments), stdout=out)
    return out.getvalue()


def run_json(command, *arguments):
    return json.loads(run(command, *arguments, "--json"))


def refused(command, *arguments):
    with pytest.raises(CommandError) as failed:
        run(command, *arguments)
    return failed.value.returncode, str(failed.value)


def push(site, *arguments):
    return run_json("push", "--source", site, "--branch", BRANCH, *arguments)


def test_push_list_compare_remove(site, tmp_path):
    pushed = push(site, "--commit", "0123456789abcdef")
    assert (pushed["url"], pushed["branch"], pushed["environment"]) == (URL, BRANCH, None)
    (row,) = run_json("previews")
    assert (row["branch"], row["url"], row["release"]) == (BRANCH, URL, pushed["release"])
    assert all(part in run("previews") for part in (BRANCH, URL, "0123456789ab", "under 1 h"))
    code, message = refused("previews", "--diff", BRANCH)
    assert (code, "production serves no release yet" in message) == (1, True)
    other = write_site(tmp_path / "other", extra=1)
    run("push", "--source", other)
    found = run_json("previews", "--diff", BRANCH, "--against", "staging")
    assert (found["to"], found["removed"]) == (pushed["release"], 1)
    run("previews", "--remove", BRANCH, "--dry-run")
    assert BranchPreview.objects.exists()
    run("previews", "--remove", BRANCH)
    assert run("previews").startswith("No branch has a preview")
    assert refused("previews", "--remove", BRANCH)[0] == 1


def test_dry_run_pushes_nothing(site):
    planned = push(site, "--dry-run")
    assert (planned["url"], planned["release"]) == (URL, None)
    assert not BranchPreview.objects.exists()


@pytest.mark.parametrize("name", ["", "a\0b", "x" * 300])
def test_names_that_are_no_branch(site, name):
    assert refused("push", "--source", site, "--branch", name)[0] == 1
    for option in ("--remove", "--diff"):
        assert refused("previews", option, name)[0] == 1


def test_a_store_that_fails_after_the_row_leaves_the_command_that_repairs(site, monkeypatch):
    push(site)

    def fail(self, **changes):
        raise BackendUnavailable("The key-value store does not answer.")

    with monkeypatch.context() as broken:
        broken.setattr(RowKeyValueStore, "update", fail)
        code, message = refused("previews", "--remove", BRANCH)
    assert (code, "previews --repair" in message) == (4, True)
    assert run_json("previews", "--repair", "--dry-run")["repaired"] == [
        "host:feature-login.preview.localhost"
    ]
    run("previews", "--repair")
    assert run("previews", "--repair") == "Nothing to repair\n"


def test_the_daily_task_removes_what_is_old(site, settings):
    push(site)
    assert expire_daily() == []
    settings.PREVIEW_DAYS = 1
    BranchPreview.objects.update(pushed_at=database_now().replace(year=2020))
    assert expire_daily() == [BRANCH]
    assert run_json("previews", "--repair", "--dry-run")["repaired"] == []


def test_the_booking_form_works_on_a_preview(client, site):
    push(site)
    origin = URL.rstrip("/")
    answer = client.post(
        "/book/request/", HTTP_HOST="feature-login.preview.localhost:8000", HTTP_ORIGIN=origin
    )
    assert answer.status_code == 422  # the form again, with what is missing
