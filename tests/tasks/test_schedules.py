"""Schedules: kept by the queue that may wait, and repeated if their worker was killed."""

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.utils import timezone
from django.utils.module_loading import import_string
from django_q.models import OrmQ, Schedule, Task

from qdn.models import MissingRun
from qdn.tasks.schedules import MAX_ATTEMPTS, SCHEDULES, UNDERWAY, ensure_schedules, repeat_missing

pytestmark = pytest.mark.django_db
DAILY = "Remove old releases"


def test_schedules_are_created_once():
    ensure_schedules()
    call_command("migrate", verbosity=0)
    assert sorted(Schedule.objects.values_list("name", "func", "schedule_type")) == sorted(
        (one.name, one.func, one.every) for one in SCHEDULES
    )


def test_their_functions_exist_and_their_queue_is_the_one_that_may_wait():
    assert all(callable(import_string(one.func)) for one in SCHEDULES)
    assert set(Schedule.objects.values_list("cluster", flat=True)) == {None}


def test_changed_schedule_stays_as_it_was_changed():
    Schedule.objects.filter(name=DAILY).update(schedule_type=Schedule.WEEKLY)
    ensure_schedules()
    assert Schedule.objects.get(name=DAILY).schedule_type == Schedule.WEEKLY


@pytest.fixture
def queued(time_machine):
    """A run that the scheduler queued, and whose worker took it."""
    time_machine.move_to(timezone.now())
    Schedule.objects.filter(name=DAILY).update(task="first")
    return Schedule.objects.filter(name=DAILY)


def finish(task):
    now = timezone.now()
    Task.objects.create(id=task, name=task, func="x", started=now, stopped=now, success=True)


def test_run_with_a_result_is_not_repeated(queued, time_machine):
    repeat_missing()
    finish("first")
    time_machine.shift(UNDERWAY.total_seconds() + 1)
    repeat_missing()
    assert not OrmQ.objects.exists()
    assert not MissingRun.objects.exists()


def test_run_whose_worker_was_killed_is_repeated(queued, time_machine):
    repeat_missing()
    repeat_missing()
    assert not OrmQ.objects.exists()  # its result may be on its way
    time_machine.shift(UNDERWAY.total_seconds() + 1)
    repeat_missing()
    assert OrmQ.objects.get().task["func"] == "deployments.retention.task.prune_daily"
    assert queued.get().task == OrmQ.objects.get().task["id"]
    finish(queued.get().task)
    time_machine.shift(3600)
    repeat_missing()
    assert OrmQ.objects.count() == 1


def test_run_that_kills_every_worker_is_given_up(queued, time_machine):
    for _ in range(10):
        time_machine.shift(UNDERWAY.total_seconds() + 1)
        repeat_missing()
    assert OrmQ.objects.count() == MAX_ATTEMPTS - 1
    queued.update(task="next day")
    repeat_missing()
    time_machine.shift(UNDERWAY.total_seconds() + 1)
    repeat_missing()
    assert OrmQ.objects.count() == MAX_ATTEMPTS


def test_result_of_a_daily_run_outlives_those_of_every_minute(settings):
    assert settings.Q_CLUSTER["save_limit_per"] == "group"
    assert timedelta(days=1) > timedelta(minutes=settings.Q_CLUSTER["save_limit"])
