"""The supervisor replaces a cluster that makes no progress, and leaves a busy one alone."""

import pytest
from django.db import OperationalError
from django.utils import timezone
from django_q.models import OrmQ

from qdn.models import Heartbeat
from qdn.tasks import heartbeat, queues
from qdn.tasks.supervisor import RESTART_SECONDS, STOP_SECONDS, TICK_SECONDS, Supervisor

pytestmark = pytest.mark.django_db


class FakeCluster:
    """A cluster without processes. `has_tasks` is how many of its workers have one."""

    def __init__(self, queue):
        self.queue, self.ended, self.has_tasks = queue, "", 0
        self.was_asked, self.was_killed, self.stops = False, False, True

    def busy(self):
        return self.has_tasks

    def stop(self):
        self.was_asked = True
        if self.stops:
            self.ended = "exit code 0"

    def kill(self):
        self.was_killed = True
        self.ended = self.ended or "killed by signal 9"


class Scene:
    """A supervisor whose seconds pass when it looks."""

    def __init__(self):
        self.now = 1000.0
        self.said, self.started = [], []
        self.supervisor = Supervisor(
            start=self.start, say=self.said.append, clock=lambda: self.now, pause=self.wait
        )

    def start(self, queue):
        self.started.append(FakeCluster(queue))
        return self.started[-1]

    def wait(self, seconds):
        self.now += seconds

    def cluster(self, queue):
        return next(one.cluster for one in self.supervisor.watches if one.queue == queue)

    def look(self, seconds=TICK_SECONDS, *, beats=()):
        """Let time pass; heartbeats of the queues named come through."""
        for _ in range(round(seconds / TICK_SECONDS)):
            self.now += TICK_SECONDS
            for queue in beats:
                heartbeat.record({"func": heartbeat.BEAT, "args": (queue,)})
            self.supervisor.look()

    def replaced(self):
        return [line.partition(":")[0] for line in self.said]


@pytest.fixture
def scene(db):
    return Scene()


OTHERS = ("publishing", "messages", "builds", "quickdumpnow")


def test_each_queue_gets_a_cluster_and_a_heartbeat(scene, settings):
    scene.look()
    assert [one.queue for one in scene.started] == queues.names()
    assert sorted(OrmQ.objects.values_list("key", flat=True)) == sorted(queues.names())
    assert {queued.task["func"] for queued in OrmQ.objects.all()} == {heartbeat.BEAT}


def test_next_heartbeat_is_sent_when_the_last_has_come_through(scene, settings):
    scene.look(settings.HEARTBEAT_SECONDS * 2)
    assert OrmQ.objects.filter(key="publishing").count() == 1
    scene.look(settings.HEARTBEAT_SECONDS * 2, beats=["publishing"])
    assert OrmQ.objects.filter(key="publishing").count() == 3


def test_cluster_that_beats_is_left_alone(scene):
    scene.look(120, beats=queues.names())
    assert scene.said == []


def test_cluster_without_progress_is_replaced(scene, settings):
    scene.look(settings.STALLED_SECONDS + 2, beats=OTHERS)
    first, second = (one for one in scene.started if one.queue == "deployments")
    assert scene.said == [
        "deployments: replaced its cluster, no heartbeat for 16 s with a free worker"
    ]
    assert (first.was_killed, second.was_killed) == (True, False)
    row = Heartbeat.objects.get(pk="deployments")
    assert row.replaced_at
    assert "no heartbeat" in row.replaced_why
    scene.look(60, beats=queues.names())
    assert len(scene.said) == 1


def test_new_cluster_has_its_own_time(scene, settings):
    scene.look(settings.STALLED_SECONDS * 2, beats=OTHERS)
    assert len(scene.said) == 1


def test_busy_cluster_is_left_alone_however_long(scene, settings):
    scene.look()
    scene.cluster("deployments").has_tasks = 2
    scene.look(settings.OPERATION_SECONDS, beats=OTHERS)
    assert scene.said == []
    assert Heartbeat.objects.get(pk="deployments").is_busy
    scene.cluster("deployments").has_tasks = 0
    scene.look(settings.STALLED_SECONDS + 2, beats=OTHERS)
    assert scene.replaced() == ["deployments"]


def test_task_under_way_in_a_replaced_cluster_may_end(scene, settings):
    scene.look()
    old = scene.cluster("deployments")
    old.has_tasks = 1  # the other worker is free, and nothing comes through
    scene.look(settings.STALLED_SECONDS + 2, beats=OTHERS)
    assert scene.replaced() == ["deployments"]
    assert not old.was_killed
    old.has_tasks = 0
    scene.look(beats=OTHERS)
    assert old.was_killed


def test_dead_cluster_is_replaced_at_once_but_not_in_a_loop(scene):
    scene.look(RESTART_SECONDS, beats=queues.names())
    scene.cluster("publishing").ended = "killed by signal 9"
    scene.look(beats=queues.names())
    assert scene.said == ["publishing: replaced its cluster, it ended: killed by signal 9"]
    scene.cluster("publishing").ended = "exit code 1"
    scene.look(RESTART_SECONDS - 1, beats=queues.names())
    assert len(scene.said) == 1
    scene.look(1, beats=queues.names())
    assert len(scene.said) == 2


def test_time_that_the_machine_slept_does_not_count(scene, settings):
    scene.look(5)
    scene.now += 3600
    scene.look()
    assert scene.said == []


@pytest.mark.django_db(transaction=True)  # an outage closes the connections
@pytest.mark.parametrize("error", [OperationalError("the connection is lost"), "redis"])
def test_outage_of_database_or_queue_is_no_fault_of_the_clusters(
    scene, settings, monkeypatch, error
):
    from redis.exceptions import ConnectionError as RedisError  # noqa: PLC0415

    error = RedisError("connection refused") if error == "redis" else error

    def refuse(queue):
        raise error

    scene.look()
    with monkeypatch.context() as patched:
        patched.setattr(heartbeat, "send", refuse)
        Heartbeat.objects.update(beat_at=timezone.now())
        scene.look(settings.STALLED_SECONDS * 3)
    scene.look(settings.STALLED_SECONDS - 2)
    assert len(scene.said) == 1
    assert scene.said[0].startswith("Wait for the database and the queue: ")


def test_stop_lets_tasks_end(scene):
    scene.supervisor.stop()
    scene.supervisor.run()
    assert all(one.was_asked for one in scene.started)
    assert set(Heartbeat.objects.values_list("watched_at", flat=True)) == {None}
    assert scene.now < 1000 + STOP_SECONDS


def test_task_that_does_not_end_is_killed(scene):
    slow = scene.cluster("deployments")
    slow.stops = False
    scene.supervisor.stop()
    scene.supervisor.run()
    assert slow.was_killed
    assert scene.now >= 1000 + STOP_SECONDS


def test_second_stop_does_not_wait(scene):
    scene.cluster("deployments").stops = False
    scene.supervisor.stop()
    scene.supervisor.stop()
    scene.supervisor.run()
    assert scene.cluster("deployments").was_killed
    assert scene.now < 1000 + STOP_SECONDS
