"""Operations whose task was killed or lost: a heartbeat begins them again."""

import dataclasses
import os
import socket
from contextlib import suppress
from datetime import timedelta

import pytest
from django.utils import timezone
from django_q.models import OrmQ

from deployments import tasks
from deployments.locks import lease
from deployments.models import DeployLock, Environment, Operation, Strategy
from deployments.operations import alive, run
from deployments.operations.alive import GOOD_FOR, LASTS, MAX_ATTEMPTS
from edge.backends.local import backend as local
from tests.deployments.desks import lines, run_tasks
from tests.deployments.doubles import FaultPoint, Killed
from tests.dispatch.conftest import shared_database  # noqa: F401 - a fixture
from tests.tasks.running import wait_for

State = Operation.State
A_MOMENT = timedelta(seconds=1)


@pytest.fixture
def clock(database_clock):
    return database_clock


@pytest.fixture
def kill(desk, two, clock, monkeypatch, backend):
    """Return a function that runs the queued task and kills it at the n-th call of the back end.

    What a kill leaves behind stays: the row, its lock, and what had been deployed. Returns whether
    there were so many calls.
    """

    def kill(at=1):
        fault = FaultPoint(at, Killed(), after=at % 2 == 0)
        parts = ("objects", "keyvalues", "functions", "distribution", "viewer")
        broken = {name: fault.before(getattr(backend, name)) for name in parts}
        with monkeypatch.context() as patched:
            patched.setattr(local, "make_backend", lambda: dataclasses.replace(backend, **broken))
            # Nothing cleans up after kill -9.
            patched.setattr(run, "_fail", lambda *args: None)
            patched.setattr(lease, "release", lambda *args: None)
            with suppress(Killed):
                run_tasks()
        return fault.was_reached

    return kill


@pytest.fixture
def operation(desk, two):
    desk.confirm("promote")
    return Operation.objects.get()


def search():
    tasks.resume()
    found = OrmQ.objects.count()
    run_tasks()
    return found


def test_killed_task_is_repeated_after_its_lease(desk, operation, kill, clock, two, operator):
    kill()
    assert "Running" in desk.steps(operation)
    assert search() == 0
    clock.shift(LASTS + A_MOMENT)
    page = desk.steps(operation)
    assert "Interrupted" in page
    assert f"attempt 2 of {MAX_ATTEMPTS}" in page
    assert "One whole release is served" in page
    assert 'data-ended=""' in page
    assert search() == 1
    operation.refresh_from_db()
    assert (operation.state, operation.attempts) == (State.DONE, 2)
    assert f"begin again, attempt 2 of {MAX_ATTEMPTS}" in " ".join(lines(operation))
    assert operator.served() == two[1].name
    assert not DeployLock.objects.exists()
    assert search() == 0


def test_killed_at_any_call_it_is_done_once(desk, production, kill, clock, two, operator):
    operator.promote()
    for at in range(1, 200, 3):
        other = next(one for one in two if one != production.live.release)
        desk.confirm("rollback", release=other.name)
        was_killed = kill(at)
        clock.shift(LASTS + A_MOMENT)
        search()
        operation = Operation.objects.latest("pk")
        made = production.deployments.filter(at__gte=operation.asked_at)
        assert operation.state == State.DONE, lines(operation)
        assert [one.outcome.result for one in made].count("succeeded") == 1
        assert operation.deployment.outcome.result == "succeeded"
        assert operator.served() == other.name
        if not was_killed:
            break
        assert not DeployLock.objects.exists()
    assert at > 20


def test_kills_without_end_are_given_up(desk, operation, kill, clock, two, operator):
    for _ in range(MAX_ATTEMPTS):
        assert kill()
        clock.shift(LASTS + A_MOMENT)
        tasks.resume()
    page = desk.steps(operation)
    assert search() == 0
    operation.refresh_from_db()
    assert operation.state == State.FAILED
    assert f"Interrupted {MAX_ATTEMPTS} times" in page
    assert "repeat the action" in page
    assert 'data-ended="yes"' in page
    assert operator.served() == two[0].name
    assert desk.do("promote").state == State.DONE


def test_nothing_is_begun_again_hours_later(desk, operation, kill, clock, two, operator):
    kill()
    clock.shift(GOOD_FOR + A_MOMENT)
    assert search() == 0
    operation.refresh_from_db()
    assert operation.state == State.FAILED
    assert operator.served() == two[0].name


def test_lost_task_is_enqueued_again(desk, operation, clock):
    OrmQ.objects.all().delete()
    assert search() == 0  # another process may be about to enqueue it
    clock.shift(timedelta(seconds=11))
    assert search() == 1
    operation.refresh_from_db()
    assert (operation.state, operation.attempts) == (State.DONE, 1)


def test_repeated_task_of_a_running_operation_does_nothing(operation):
    assert alive.claim(operation)
    run_tasks()
    operation.refresh_from_db()
    assert (operation.state, operation.attempts, lines(operation)) == (State.RUNNING, 1, [])


def test_task_that_was_taken_for_dead_does_not_end_the_operation(operation, clock):
    """It paused for so long that another one began again."""
    assert alive.claim(operation)
    slow = Operation.objects.get()
    clock.shift(LASTS + A_MOMENT)
    assert alive.claim(Operation.objects.get())
    run._end(slow, State.FAILED, None)
    assert Operation.objects.get().state == State.RUNNING


@pytest.mark.usefixtures("shared_database")
def test_running_task_renews_its_lease(monkeypatch):
    monkeypatch.setattr(alive, "RENEW_SECONDS", 0.01)
    environment = Environment.objects.first()
    row = Operation.objects.create(environment=environment, kind="promote", actor="ines")
    assert alive.claim(row)
    Operation.objects.update(alive_at=timezone.now() - GOOD_FOR)
    with alive.kept_alive(row):
        wait_for(lambda: not alive.is_gone(Operation.objects.get()), "a renewal")


def test_lock_of_a_task_killed_on_another_machine_is_taken_over(operation, kill, clock):
    kill(at=12)
    DeployLock.objects.update(host="elsewhere")
    Operation.objects.update(runner=DeployLock.objects.get().runner)
    clock.shift(LASTS + A_MOMENT)
    search()
    operation.refresh_from_db()
    assert operation.state == State.DONE, lines(operation)


def test_interrupted_copy_may_be_a_mixture(desk, operation, kill, clock):
    kill()
    clock.shift(LASTS + A_MOMENT)
    Environment.objects.update(strategy=Strategy.COPY)
    assert "Files of both releases may be served" in desk.steps(operation)


def test_same_click_during_an_interruption_is_the_same_operation(desk, operation, kill, clock):
    kill()
    clock.shift(LASTS + A_MOMENT)
    desk.confirm("promote")
    assert Operation.objects.count() == 1


def test_process_that_got_the_id_of_a_killed_one_holds_no_lease():
    mine = lease.this_process()
    assert lease.is_running(**{name: mine[name] for name in ("pid", "started")})
    assert not lease.is_running(mine["pid"], mine["started"] - 1)
    assert mine["host"] == socket.gethostname()
    assert mine["pid"] == os.getpid()
