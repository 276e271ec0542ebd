"""Processes of `manage.py work` are killed, and its work gets done.

bench/kills.py kills each kind of process, with each broker and database.
"""

import os
import signal
import sqlite3
from datetime import UTC, datetime, timedelta

import pytest

from qdn.tasks import queues
from tests.tasks.running import Work, children, is_alive, name, wait_for
from tests.test_processes import Installation

ROLL_BACK = """
from deployments.models import Environment
from deployments.operations import run
from deployments.operations.proposals import DeployRequest, Kind, propose
from edge.backends import get_backend
production = Environment.objects.get(name="production")
found = propose(get_backend(), DeployRequest(Kind.ROLLBACK, production), actor="ines", reason="x")
run.ask(environment=production, proposal=found, actor="ines", reason="Wrong prices")
"""


class Site(Installation):
    """An installation with two releases that were live, and `work` with short intervals."""

    def __init__(self, folder):
        super().__init__(folder)
        self.environ |= {"PYTHONWARNINGS": "default", "PUBLISH_SECONDS": "2"}
        self.environ |= {"HEARTBEAT_SECONDS": "0.5", "STALLED_SECONDS": "3"}
        for mark in "AB":
            self.push(mark)
            self.json("promote", "--yes")
        self.work = Work(self.environ, folder / "work.log")

    def query(self, text, *values):
        with sqlite3.connect(self.folder / "var/db.sqlite3", timeout=20) as database:
            return database.execute(text, values).fetchall()

    def wait_until_it_beats(self):
        began = datetime.now(UTC).replace(tzinfo=None).isoformat(" ")
        beats = "SELECT count(*) FROM qdn_heartbeat WHERE beat_at > ?"
        wait_for(
            lambda: self.query(beats, began) == [(len(queues.names()),)],
            "heartbeats of every queue",
        )

    def book(self):
        address = "12 Chena Ridge Road, Fairbanks, 99709"
        self.json("create_job", "--name", "Ann", "--phone", "907-555-0155", "--address", address)

    def wait_until_published(self):
        behind = "SELECT count(*) FROM tracking_trackinglink WHERE published_at IS NULL"
        wait_for(lambda: self.query(behind) == [(0,)], "the tracking document")

    def said(self):
        return self.work.log.read_text()


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    site = Site(tmp_path_factory.mktemp("site"))
    yield site
    site.work.process.kill()
    site.work.process.wait()


@pytest.fixture
def site(installed):
    """The installation with `work` running; tests come in any order."""
    if installed.work.process.poll() is not None:
        installed.work.start()
    installed.wait_until_it_beats()
    return installed


def test_idle_worker(site):
    """It may hold the lock of the queue that it waited for, which stops its successors."""
    site.work.kill("publishing", "worker")
    site.book()
    site.wait_until_published()
    site.wait_until_it_beats()
    assert "publishing: replaced its cluster, no heartbeat" in site.said()


def test_worker_in_the_middle_of_a_rollback(site):
    environment, now = 2, datetime.now(UTC).replace(tzinfo=None)
    columns = "environment_id, holder, host, pid, started, expires_at, reason, acquired_at"
    lock = (environment, "ola", "elsewhere", 1, 0, now + timedelta(minutes=9), "in the way", now)
    marks = ", ".join("?" * len(lock))
    site.query(f"INSERT INTO deployments_deploylock ({columns}) VALUES ({marks})", *map(str, lock))
    assert site.manage("shell", "-c", ROLL_BACK).returncode == 0
    state = "SELECT state, attempts FROM deployments_operation"
    wait_for(lambda: site.query(state) == [("running", 1)], "the rollback to begin")
    (sentinel,) = (one for one in children(site.work.process.pid) if name(one) == "deployments")
    for pid in children(sentinel):
        if name(pid) == "w deployments":
            os.kill(pid, signal.SIGKILL)
    site.query("DELETE FROM deployments_deploylock")
    wait_for(lambda: site.query(state) == [("done", 2)], "the rollback")
    results = "SELECT result FROM deployments_outcome JOIN deployments_deployment d"
    results += " ON d.id = deployment_id WHERE kind = 'rollback'"
    assert site.query(results) == [("succeeded",)]


def test_supervisor(site):
    everyone = site.work.everyone()
    assert len(everyone) > 10
    site.work.kill("", "supervisor")
    wait_for(lambda: not any(map(is_alive, everyone)), "the end of all its processes")
    site.book()
    site.work.start()
    site.wait_until_published()


def test_stop(site):
    everyone = site.work.everyone()
    assert site.work.stop() == 0
    assert not any(map(is_alive, everyone))
