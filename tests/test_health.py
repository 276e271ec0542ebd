"""/healthz and /readyz: who is asked, what makes a process not ready, and how long it takes."""

import os
import shutil
import threading
import time
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone
from django_q.models import OrmQ

from edge.backends import get_backend
from qdn import health
from qdn.backup.record import record_backup
from qdn.health import Readiness
from qdn.models import Heartbeat
from qdn.readiness import PARTS, Part, Reading
from qdn.tasks import queues
from tests.deployments.sites import write_site
from tests.dispatch.conftest import shared_database
from tests.edge.serving.test_local_edge import gunicorn
from tests.tracking.builders import make_link
from tracking.models import TrackingLink

__all__ = ["shared_database"]  # a fixture
READ = {part.name: part.read for part in PARTS}
LONG_AGO = timedelta(hours=3)


def needed():
    return True


def fine():
    return Reading(ok=True)


def broken():
    raise OSError("password of qdn@10.0.0.5 refused")


# The report


def report(*parts, deadline=5.0):
    return Readiness(parts, deadline=deadline).report()


def test_parts_that_are_fine():
    found = report(Part("a", lambda: Reading(ok=True, facts={"last": 3}), needed))
    assert found == {"ready": True, "parts": {"a": {"ok": True, "needed": True, "last": 3}}}


def test_only_a_needed_part_makes_it_not_ready():
    assert report(Part("a", fine, needed), Part("b", broken))["ready"] is True
    assert report(Part("a", broken, needed), Part("b", fine))["ready"] is False


def test_reason_is_logged_and_not_shown(caplog):
    watched = Readiness([Part("a", broken, needed)])
    assert watched.report()["parts"]["a"]["problem"] == "failed; see the log"
    assert "10.0.0.5" in caplog.text


@contextmanager
def hanging():
    """A part that does not answer until the end; its calls are counted."""
    calls, end = [], threading.Event()

    def read():
        calls.append(1)
        end.wait(60)
        return Reading(ok=True)

    try:
        yield Part("stuck", read, needed), calls
    finally:
        end.set()


def test_part_that_hangs_delays_nothing(monkeypatch):
    monkeypatch.setattr(health, "KEEP_SECONDS", 0)
    with hanging() as (stuck, calls):
        watched = Readiness([stuck, Part("a", fine, needed)], deadline=0.3)
        for _ in range(3):
            found = watched.report()
            assert found["ready"] is False
            assert found["parts"]["stuck"]["problem"] == "no answer in time"
            assert found["parts"]["a"]["ok"] is True
        assert len(calls) == 1, "no second thread for a part that still hangs"


def test_part_that_hung_is_fine_again(monkeypatch):
    monkeypatch.setattr(health, "KEEP_SECONDS", 0)
    with hanging() as (stuck, _):
        watched = Readiness([stuck], deadline=0.2)
        assert watched.report()["ready"] is False
    end = time.monotonic() + 20
    while not watched.report()["ready"]:
        assert time.monotonic() < end


def test_report_serves_all_who_ask_within_a_second():
    """Anyone can ask as often as they like."""
    calls = []
    watched = Readiness([Part("a", lambda: calls.append(1) or Reading(ok=True), needed)])
    for _ in range(50):
        watched.report()
    assert len(calls) < 25


# The parts


@pytest.fixture
def released(db, settings, tmp_path):
    settings.EDGE_PROBE_SECONDS = 0
    call_command("push", source=write_site(tmp_path / "site", mark="A"), verbosity=0)


@pytest.mark.django_db
def test_database_needs_the_migrations_of_this_version():
    assert READ["database"]() == Reading(ok=True, facts={"apps_to_migrate": 0})
    last = MigrationRecorder.Migration.objects.filter(app="tracking").order_by("name").last()
    last.delete()
    assert READ["database"]() == Reading(ok=False, facts={"apps_to_migrate": 1})


@pytest.mark.django_db
def test_store_before_the_first_release():
    assert READ["store"]() == Reading(ok=True, facts={"live_releases": 0, "missing": 0})


def test_store_without_the_live_release(released, settings):
    assert READ["store"]().ok
    shutil.rmtree(settings.EDGE_STORE_DIR)
    assert READ["store"]() == Reading(ok=False, facts={"live_releases": 1, "missing": 1})


@pytest.mark.django_db
def test_store_behind_a_cdn_is_only_reported(settings):
    store = next(part for part in PARTS if part.name == "store")
    assert store.is_needed()
    settings.EDGE_BACKEND = "aws"
    assert not store.is_needed()


@pytest.mark.django_db
def test_task_that_waits_is_reported():
    OrmQ.objects.all().delete()
    now = timezone.now()
    for queue in queues.names():
        Heartbeat.objects.create(queue=queue, watched_at=now, beat_at=now)
    reading = READ["tasks"]()
    assert reading.ok
    assert set(reading.facts) == set(queues.names())
    assert all(one["oldest_seconds"] is None for one in reading.facts.values())
    OrmQ.objects.create(key="publishing", payload="x", lock=now - LONG_AGO)
    reading = READ["tasks"]()
    assert (reading.ok, reading.facts["publishing"]["oldest_seconds"] >= 10_800) == (False, True)


@pytest.mark.django_db
def test_queue_without_a_cluster_is_reported():
    assert not READ["tasks"]().ok


@pytest.mark.django_db
def test_age_of_the_backup_is_reported(time_machine):
    time_machine.move_to(timezone.now())
    assert READ["backup"]() == Reading(ok=False, facts={"age_seconds": None})
    record_backup(get_backend().objects, "nightly")
    assert READ["backup"]().ok
    time_machine.shift(timedelta(days=3))
    reading = READ["backup"]()
    assert (reading.ok, reading.facts["age_seconds"] >= 259_200) == (False, True)


@pytest.mark.django_db
def test_documents_behind_are_reported():
    make_link(published_revision=1)
    assert READ["publication"]() == Reading(ok=True, facts={"behind": 0, "lag_seconds": 0})
    link = make_link(due_since=timezone.now())
    found = READ["publication"]()
    assert (found.ok, found.facts["behind"]) == (True, 1)
    TrackingLink.objects.filter(pk=link.pk).update(due_since=timezone.now() - LONG_AGO)
    found = READ["publication"]()
    assert not found.ok
    assert found.facts["lag_seconds"] > LONG_AGO.total_seconds() / 2


@pytest.mark.django_db
def test_link_that_was_revoked_just_now_is_not_late():
    long_ago, now = timezone.now() - LONG_AGO, timezone.now()
    make_link(due_since=long_ago)
    TrackingLink.objects.update(revoked_at=now, revoke_reason="x", published_revision=1)
    assert READ["publication"]().ok


# The addresses


@pytest.fixture
def ask(shared_database, released, client, monkeypatch):
    monkeypatch.setattr(health, "_readiness", Readiness(PARTS, deadline=30))
    return client.get


@pytest.mark.parametrize("host", ["10.0.0.5", "10.0.0.5:8000", "[2001:db8::1]", "evil.example", ""])
def test_both_answer_under_any_host(ask, host):
    assert ask("/healthz", HTTP_HOST=host).content == b"ok\n"
    answer = ask("/readyz", HTTP_HOST=host)
    assert (answer.status_code, answer.json()["ready"]) == (200, True)
    assert "no-store" in answer["Cache-Control"]
    assert ask("/admin/login/", HTTP_HOST="10.0.0.5").status_code == 400


def test_readyz_names_every_part(ask):
    assert list(ask("/readyz").json()["parts"]) == [part.name for part in PARTS]


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_probes_only_read(client, path):
    assert client.post(path).status_code == 405


def test_healthz_asks_no_database(client, django_assert_num_queries):
    """Nor does pytest-django allow it here."""
    assert client.get("/healthz").status_code == 200


def test_server_without_its_database_is_alive_and_not_ready(tmp_path):
    environ = {**os.environ, "DATA_DIR": str(tmp_path), "DATABASE_URL": "postgres://127.0.0.1:1/x"}
    with gunicorn(environ) as connection:
        connection.request("GET", "/healthz", headers={"Host": "10.0.0.5"})
        answer = connection.getresponse()
        assert (answer.status, answer.read()) == (200, b"ok\n")
        connection.request("GET", "/readyz", headers={"Host": "10.0.0.5"})
        answer = connection.getresponse()
        body = answer.read().decode()
    assert (answer.status, '"database": {"ok": false' in body) == (503, True)
    assert "127.0.0.1" not in body
    assert '"routing": {"ok": false' in body
