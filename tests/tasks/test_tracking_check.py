"""`verify --tracking` beside a real task cluster, also after one that was killed."""

import json
import sqlite3

import pytest

from tests.tasks.running import Work, wait_for
from tests.test_processes import Installation

pytestmark = pytest.mark.every_step
PROBE = "SELECT count(*) FROM dispatch_job WHERE is_probe"


class Site(Installation):
    """An installation with a release in production, and `work`."""

    def __init__(self, folder):
        super().__init__(folder)
        self.environ |= {"PYTHONWARNINGS": "default", "HEARTBEAT_SECONDS": "0.5"}
        self.push("A")
        self.json("promote", "--yes", "--no-tracking-check")
        self.work = Work(self.environ, folder / "work.log")
        beats = "SELECT count(*) FROM qdn_heartbeat WHERE queue = 'publishing' AND beat_at > ''"
        wait_for(lambda: self.query(beats) == 1, "the cluster's heartbeat")

    def query(self, text):
        with sqlite3.connect(self.folder / "var/db.sqlite3", timeout=20) as database:
            found = database.execute(text).fetchone()
        database.close()
        return found[0] if found else None

    def documents(self):
        return list((self.folder / "var/store/jobs").glob("*"))


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    site = Site(tmp_path_factory.mktemp("checked"))
    yield site
    site.work.stop()


def test_cluster_publishes_the_change(site):
    check = site.json("verify", "--tracking")
    assert (check["problem"], None in check.values()) == ("", False)
    assert site.query(PROBE) == 0
    assert site.documents() == []


def test_what_a_killed_check_leaves_is_removed_by_a_later_one(site):
    process = site.start("verify", "--tracking")
    wait_for(lambda: site.query(PROBE), "the probe")
    process.kill()
    process.communicate()
    assert site.query(PROBE) == 1
    refused = site.manage("verify", "--tracking")
    assert (refused.returncode, "in progress" in refused.stderr) == (3, True)
    site.query("UPDATE dispatch_job SET created_at = '2026-01-01 00:00:00' RETURNING id")
    assert site.json("verify", "--tracking")["problem"] == ""
    assert site.query(PROBE) == 0
    assert site.documents() == []


def test_promotion_checks_with_the_cluster(site):
    site.push("B")
    done = site.manage("promote", "--yes", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["tracking_check"]["problem"] == ""
