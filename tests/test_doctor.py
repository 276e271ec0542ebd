"""`doctor`: every fault is a finding with a hint."""

import json
import re
from dataclasses import replace
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone
from django_q.models import OrmQ, Schedule
from redis.exceptions import ConnectionError as RedisConnectionError

from deployments.models import Distribution, Environment
from edge.backends import get_backend
from edge.backends.local.objects import FolderStore
from edge.backends.local.rows import RowDistribution, RowKeyValueStore
from edge.errors import BackendUnavailable
from edge.models import FunctionStage
from qdn import doctor
from qdn.models import Heartbeat
from qdn.tasks import queues
from tests.deployments.sites import write_site

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def development(settings):
    """Use the settings of a clean checkout; Django turns DEBUG off in tests."""
    settings.DEBUG = True


@pytest.fixture(autouse=True)
def supervised(db):
    """Let every queue have beaten just now, as if `work` were running."""
    now = timezone.now()
    for queue in queues.names():
        Heartbeat.objects.create(queue=queue, watched_at=now, beat_at=now)


def run_doctor():
    """Return the exit code and the rows by check; a fault takes precedence."""
    out, code = StringIO(), 0
    try:
        call_command("doctor", json=True, stdout=out)
    except CommandError as error:
        code = error.returncode
    rows = json.loads(out.getvalue())
    return code, {row["check"]: row for row in sorted(rows, key=lambda row: -row["ok"])}


def fails(error):
    def fail(*args, **kwargs):
        raise error

    return fail


def test_a_sound_installation():
    code, rows = run_doctor()
    assert code == 0
    assert set(rows) == {
        "settings", "database", "migrations", "tasks", "schedule", "object store",
        "key-value store", "functions", "space", "njs",
    }  # fmt: skip
    assert all(row["ok"] and not row["hint"] for row in rows.values())


def test_probe_object_is_removed(settings):
    run_doctor()
    assert list(FolderStore(settings.EDGE_STORE_DIR).list("")) == []


def test_table_for_people():
    out = StringIO()
    call_command("doctor", stdout=out)
    assert "object store" in out.getvalue()


def assert_fault(check, hint):
    code, rows = run_doctor()
    assert code == 1
    assert not rows[check]["ok"]
    assert hint in rows[check]["hint"]
    return rows[check]["message"]


def test_wrong_setting(settings):
    settings.SITE_URL = "example.com"
    assert "SITE_URL" in assert_fault("settings", "SITE_URL")


def test_database_that_does_not_answer(monkeypatch):
    wrong = OperationalError("could not connect\nto server")
    monkeypatch.setattr(doctor.connection, "ensure_connection", fails(wrong))
    assert assert_fault("database", "DATABASE_URL") == "could not connect to server"


def test_missing_migration(monkeypatch):
    monkeypatch.setattr(MigrationExecutor, "migration_plan", lambda *args: [("a", 1)])
    assert_fault("migrations", "manage.py migrate")


def test_store_that_cannot_be_written(settings, tmp_path):
    (tmp_path / "file").write_text("in the way")
    settings.EDGE_STORE_DIR = tmp_path / "file"
    assert_fault("object store", "EDGE_STORE_DIR")


def test_store_that_returns_other_content(monkeypatch):
    real = FolderStore.put
    monkeypatch.setattr(FolderStore, "put", lambda self, key, body, **k: real(self, key, b"", **k))
    assert_fault("object store", "proxy")


def test_key_value_store_that_refuses(monkeypatch):
    error = BackendUnavailable("403 AccessDenied", "Give these credentials the permission.")
    monkeypatch.setattr(RowKeyValueStore, "etag", fails(error))
    assert assert_fault("key-value store", "permission") == "403 AccessDenied"


def test_function_that_is_gone(tmp_path):
    call_command("push", source=write_site(tmp_path / "site"), stdout=StringIO())
    FunctionStage.objects.all().delete()
    assert_fault("functions", "push_functions --environment staging")


def test_distribution_that_is_being_changed(monkeypatch):
    Distribution.objects.create(environment=Environment.objects.first(), remote_id="E1")
    monkeypatch.setattr(RowDistribution, "status", lambda self, name: "InProgress")
    assert "E1: InProgress" in assert_fault("distributions", "wait")


def test_without_a_supervisor():
    late = timezone.now() - timedelta(minutes=5)
    Heartbeat.objects.filter(queue="publishing").update(watched_at=late)
    OrmQ.objects.create(key="publishing", payload="x", lock=timezone.now() - timedelta(seconds=90))
    message = assert_fault("tasks", "Start it and keep it running: manage.py work")
    assert message.startswith("publishing: manage.py work is not running; the oldest task has wait")


def test_cluster_that_runs_and_finishes_nothing():
    """Its supervisor watches it, so starting another one is not what helps."""
    Heartbeat.objects.filter(queue="deployments").update(
        beat_at=timezone.now() - timedelta(minutes=5),
        replaced_at=timezone.now(),
        replaced_why="no heartbeat for 15 s with a free worker",
    )
    message = assert_fault("tasks", "restart it")
    assert re.match(r"deployments: its cluster runs but has finished nothing for 30\d s", message)
    assert "no heartbeat for 15 s with a free worker" in message


def test_long_deployment_is_no_fault():
    Heartbeat.objects.filter(queue="deployments").update(
        beat_at=timezone.now() - timedelta(minutes=5), is_busy=True
    )
    assert run_doctor()[0] == 0


def test_redis_that_does_not_answer(settings, monkeypatch):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    monkeypatch.setattr(queues, "get_broker", fails(RedisConnectionError("connection refused")))
    assert assert_fault("tasks", "REDIS_URL") == "connection refused"


def test_schedule_that_is_not_kept():
    Schedule.objects.update(next_run=timezone.now() - timedelta(hours=1))
    assert "is 3600 s late" in assert_fault("schedule", "manage.py work")


def test_schedule_that_was_deleted():
    Schedule.objects.all().delete()
    assert_fault("schedule", "migrate")


def test_unknown_back_end(settings):
    settings.EDGE_BACKEND = "moon"
    assert_fault("back end", "EDGE_BACKEND")


@pytest.mark.parametrize("runs_functions", [True, False])
def test_njs_is_required_if_the_back_end_runs_functions(runs_functions):
    backend = replace(get_backend(), runs_functions=runs_functions)
    assert doctor.njs_finding("/usr/bin/njs", backend).ok
    assert doctor.njs_finding(None, backend).ok is not runs_functions
