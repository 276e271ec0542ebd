"""Requests for publishing: one task waits for any number of changes."""

from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone
from django_q.models import OrmQ

from dispatch.changing import move_job
from dispatch.models import Job
from dispatch.statuses import Status
from tests.builders import make_planned_job
from tracking import queue
from tracking.queue import request_publishing


@pytest.fixture
def ask(db, django_capture_on_commit_callbacks):
    """Return a function that requests publishing in a transaction and commits it."""

    def ask():
        with django_capture_on_commit_callbacks(execute=True):
            request_publishing()

    return ask


def test_change_of_a_job_enqueues_publishing_without_arguments(
    db, django_capture_on_commit_callbacks
):
    job = make_planned_job()
    with django_capture_on_commit_callbacks(execute=True):
        move_job(job=job, to=Status.SCHEDULED, actor="pat")
        assert not OrmQ.objects.exists()  # a worker would not see the change yet
    queued = OrmQ.objects.get()
    assert queued.key == "publishing"
    assert queued.task["func"] == "tracking.tasks.publish"
    assert (queued.task["args"], queued.task["kwargs"]) == ((), {})


def test_one_task_waits_for_any_number_of_changes(ask):
    for _ in range(100):
        ask()
    assert OrmQ.objects.count() == 1


def test_task_that_a_worker_has_does_not_count(ask):
    """It may have looked before this change."""
    ask()
    OrmQ.objects.update(lock=timezone.now() + timedelta(minutes=1))
    ask()
    assert OrmQ.objects.count() == 2


def test_tasks_of_other_queues_do_not_count(ask):
    OrmQ.objects.create(key="deployments", payload="x", lock=timezone.now())
    ask()
    assert OrmQ.objects.filter(key="publishing").count() == 1


@pytest.mark.django_db(transaction=True)
def test_rolled_back_change_enqueues_nothing():
    with transaction.atomic():
        request_publishing()
        transaction.set_rollback(True)
    assert not OrmQ.objects.exists()


def test_jobs_change_while_the_queue_is_down(db, monkeypatch, django_capture_on_commit_callbacks):
    def refuse(name):
        raise ConnectionError("connection refused")

    monkeypatch.setattr(queue, "get_broker", refuse)
    job = make_planned_job()
    with django_capture_on_commit_callbacks(execute=True):
        move_job(job=job, to=Status.SCHEDULED, actor="dana")
    assert Job.objects.get().status == Status.SCHEDULED
