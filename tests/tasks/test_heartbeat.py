"""Heartbeats find lost work, and are recorded when their result has been."""

import pytest
from django.utils.module_loading import import_string
from django_q.models import OrmQ
from django_q.signals import post_execute

from qdn.models import Heartbeat
from qdn.tasks import heartbeat, queues

pytestmark = pytest.mark.django_db


def test_every_queue_has_a_search_for_lost_work():
    assert set(heartbeat.SEARCHES) == set(queues.names())
    assert all(callable(import_string(search)) for search in heartbeat.SEARCHES.values())


def test_heartbeat_is_a_task_of_its_queue():
    heartbeat.send("deployments")
    queued = OrmQ.objects.get()
    assert queued.key == "deployments"
    assert import_string(queued.task["func"]) is heartbeat.beat
    assert queued.task["args"] == ("deployments",)


def test_result_of_a_heartbeat_is_recorded():
    post_execute.send(sender="django_q", task={"func": heartbeat.BEAT, "args": ("publishing",)})
    assert Heartbeat.objects.get().queue == "publishing"
    assert Heartbeat.objects.get().beat_at


def test_other_results_are_not_heartbeats():
    post_execute.send(sender="django_q", task={"func": "tracking.tasks.publish", "args": ()})
    assert not Heartbeat.objects.exists()


def test_error_of_a_search_is_logged_and_the_heart_beats(monkeypatch, caplog):
    monkeypatch.setitem(heartbeat.SEARCHES, "publishing", "tests.tasks.test_heartbeat.out_of_order")
    heartbeat.beat("publishing")
    assert "publishing: OSError: the store does not answer" in caplog.text


def out_of_order():
    raise OSError("the store does not answer")
