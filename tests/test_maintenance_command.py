"""The command `maintenance`."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from deployments.locks.deploy_lock import deploy_lock
from deployments.models import Environment, Maintenance
from edge.backends import get_backend
from edge.backends.local.rows import RowKeyValueStore
from edge.errors import BackendUnavailable
from tests.deployments.sites import Operator

pytestmark = pytest.mark.django_db
PRODUCTION = "--environment=production"


@pytest.fixture(autouse=True)
def live(settings, tmp_path):
    settings.EDGE_PROBE_SECONDS = 0
    operator = Operator(get_backend(), tmp_path)
    operator.push("A")
    operator.promote()


def maintenance(*arguments, **options):
    out = StringIO()
    call_command("maintenance", *arguments, stdout=out, **options)
    return out.getvalue()


def answer(*arguments):
    return json.loads(maintenance(*arguments, json=True))


def refused(*arguments):
    with pytest.raises(CommandError) as failed:
        maintenance(*arguments)
    return failed.value.returncode, str(failed.value)


def status():
    return get_backend().viewer.fetch("localhost", "/").status


def test_on_and_off():
    said = maintenance("on", PRODUCTION, "--message=Soon", "--reason=Database", "--yes")
    assert "production is in maintenance; the edge follows within seconds" in said
    assert status() == 503
    assert Maintenance.objects.get().reason == "Database"
    assert "production is not in maintenance" in maintenance("off", PRODUCTION, "--yes")
    assert status() == 200


def test_status_shows_it():
    maintenance("on", PRODUCTION, "--yes")
    out = StringIO()
    call_command("status", stdout=out)
    assert "in maintenance since" in out.getvalue()


def test_json_is_as_documented():
    assert answer("on", PRODUCTION, "--message=Soon", "--yes") == {
        "environment": "production",
        "maintenance": True,
        "message": "Soon",
        "changed": True,
    }
    assert answer("on", PRODUCTION)["changed"] is False
    assert answer("off", PRODUCTION, "--yes")["message"] is None


def test_repeats_say_so_and_ask_nothing():
    assert "Nothing to do: production is not in maintenance already" in maintenance(
        "off", PRODUCTION
    )
    maintenance("on", PRODUCTION, "--yes")
    assert "Nothing to do: production is in maintenance already" in maintenance("on", PRODUCTION)


def test_dry_run_says_what_would_change():
    said = maintenance("on", PRODUCTION, "--message=Soon", "--dry-run")
    assert "is hidden; all pages answer 503" in said
    assert "Message: Soon" in said
    assert status() == 200
    assert not Maintenance.objects.exists()


def test_protected_environment_needs_confirmation():
    code, message = refused("on", PRODUCTION)
    assert (code, "--yes" in message) == (1, True)
    assert status() == 200
    maintenance("on", "--environment=staging")
    assert get_backend().viewer.fetch("staging.localhost", "/").status == 503


def test_lock_of_another_operator():
    production = Environment.objects.get(name="production")
    with deploy_lock(environment=production, actor="sam", reason="Promotion"):
        code, message = refused("on", PRODUCTION, "--yes")
        assert (code, "sam" in message) == (3, True)
        maintenance("on", PRODUCTION, "--yes", "--take-over")
    assert status() == 503


def test_outage_names_the_command_that_finishes(monkeypatch):
    def fail(*args, **kwargs):
        raise BackendUnavailable("The store does not answer.")

    monkeypatch.setattr(RowKeyValueStore, "update", fail)
    code, message = refused("on", PRODUCTION, "--yes")
    assert code == 4
    assert "Run: manage.py maintenance --yes on --environment=production" in message
    monkeypatch.undo()
    maintenance("on", PRODUCTION, "--yes")
    assert status() == 503


@pytest.mark.parametrize("arguments", [("up", PRODUCTION), ("on",)])
def test_usage_errors(arguments):
    assert refused(*arguments)[0] != 0


def test_unknown_environment_and_long_message_are_refused():
    assert refused("on", "--environment=moon", "--yes")[0] == 1
    assert refused("on", PRODUCTION, "--yes", "--message=" + "x" * 301)[0] == 1


def test_reason_that_is_too_long_is_refused_and_changes_nothing():
    code, message = refused("on", PRODUCTION, "--yes", "--reason=" + "x" * 301)
    assert (code != 0, "history keeps 300" in message) == (True, True)
    assert status() == 200
