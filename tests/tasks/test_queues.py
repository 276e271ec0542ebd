"""How long tasks have waited, with either broker; and what `qcluster` makes of the settings."""

import json
import os
import subprocess
import sys
from datetime import timedelta

import pytest
from django.conf import settings as current
from django.utils import timezone
from django_q.conf import Conf
from django_q.models import OrmQ
from django_q.signing import SignedPackage

from qdn.models import Heartbeat
from qdn.tasks import cluster, queues
from tests.tasks.running import ROOT

pytestmark = pytest.mark.django_db


@pytest.fixture
def now(time_machine):
    time_machine.move_to(timezone.now(), tick=False)
    return timezone.now()


def test_ages_with_the_database_as_broker(now):
    for seconds in (5, 30):
        OrmQ.objects.create(key="publishing", payload="x", lock=now - timedelta(seconds=seconds))
    OrmQ.objects.create(key="deployments", payload="x", lock=now + timedelta(minutes=3))
    Heartbeat.objects.create(queue="deployments", beat_at=now - timedelta(seconds=7), is_busy=True)
    ages = queues.ages()
    assert list(ages) == ["publishing", "messages", "deployments", "builds", "quickdumpnow"]
    assert ages["publishing"] == queues.QueueAge(30, None, None, is_busy=False)
    assert ages["deployments"] == queues.QueueAge(None, 7, None, is_busy=True)


class FakeRedis:
    """A list with one package, as Redis returns it."""

    list_key = "django_q:publishing:q"

    def __init__(self, package):
        self.connection, self.package = self, package

    def lindex(self, key, position):
        return self.package if (key, position) == (self.list_key, 0) else None


def test_ages_with_redis(now, settings, monkeypatch):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    package = SignedPackage.dumps({"started": now - timedelta(seconds=40)}).encode()
    monkeypatch.setattr(queues, "get_broker", lambda queue: FakeRedis(package))
    assert queues.ages()["publishing"].waiting == 40
    monkeypatch.setattr(queues, "get_broker", lambda queue: FakeRedis(None))
    assert queues.ages()["publishing"].waiting is None


NAMES = ("CLUSTER_NAME", "WORKERS", "TIMEOUT", "RETRY", "QUEUE_LIMIT", "PREFIX", "RECYCLE")


@pytest.mark.parametrize(
    "queue", ["publishing", "messages", "deployments", "builds", "quickdumpnow"]
)
def test_cluster_of_work_has_the_settings_of_qcluster(queue, monkeypatch):
    code = (
        "import json, django; django.setup(); from django_q.conf import Conf;"
        f"print(json.dumps([getattr(Conf, name) for name in {NAMES}]))"
    )
    environ = {
        **os.environ,
        "Q_CLUSTER_NAME": queue,
        "DJANGO_SETTINGS_MODULE": "qdn.settings",
        "DATA_DIR": str(current.DATA_DIR),
    }
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environ, capture_output=True, check=True
    )
    for name in NAMES:
        monkeypatch.setattr(Conf, name, getattr(Conf, name))  # put back after the test
    cluster.configure(queue)
    assert [getattr(Conf, name) for name in NAMES] == json.loads(done.stdout)


def test_no_task_is_run_by_two_workers(settings):
    main = settings.Q_CLUSTER
    for own in [{}, *main["ALT_CLUSTERS"].values()]:
        both = {**main, **own}
        assert both["retry"] > both["timeout"] + 3  # 3 s are django-q's margin
    for queue in ("deployments", "quickdumpnow"):  # the latter for tasks from before the queues
        retry = main["ALT_CLUSTERS"].get(queue, {}).get("retry", main["retry"])
        assert retry > settings.OPERATION_SECONDS + 3
