"""Operations of the admin: their task, their steps, and what happens when the task dies."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone
from redis.exceptions import ConnectionError as RedisConnectionError

from deployments.models import Operation
from deployments.operations import run
from deployments.operations.alive import GOOD_FOR
from edge.backends.local.rows import RowKeyValueStore
from edge.backends.viewers import InProcessViewer
from edge.errors import BackendUnavailable
from edge.protocols import ViewerResponse
from tests.deployments.desks import Desk, lines, run_tasks
from tests.deployments.doubles import Killed

State = Operation.State

# The queue


@pytest.fixture
def no_queue(monkeypatch):
    """A broker that refuses every task; `undo()` ends it."""

    def refuse(*args, **kwargs):
        raise RedisConnectionError("Error 111 connecting to redis:6379. Connection refused.")

    with monkeypatch.context() as patched:
        patched.setattr(run, "async_task", refuse)
        yield patched


def test_queue_that_refuses_the_task_ends_the_operation(desk, two, production, no_queue):
    assert desk.confirm("promote").status_code == 302
    operation = Operation.objects.get()
    assert (operation.state, operation.deployment) == (State.FAILED, None)
    assert "Connection refused. Nothing was changed." in lines(operation)[-1]
    no_queue.undo()
    assert desk.do("promote").state == State.DONE
    assert production.live.release == two[1]


# The back end


@pytest.fixture
def outage(monkeypatch):
    """Return a function that begins an outage of the key-value store."""

    def refuse(*args, **kwargs):
        raise BackendUnavailable("The key-value store did not answer.", "Try again.")

    def begin():
        for method in ("etag", "get", "items", "update"):
            monkeypatch.setattr(RowKeyValueStore, method, refuse)

    return begin


@pytest.fixture
def viewers(monkeypatch):
    """Return a function that replaces what viewers get, except in previews."""
    fetch = InProcessViewer.fetch

    def replace(answer):
        def fetch_other(viewer, host, path, *, cookie="", **more):
            return fetch(viewer, host, path, cookie=cookie) if cookie else answer()

        monkeypatch.setattr(InProcessViewer, "fetch", fetch_other)

    return replace


def test_page_says_that_the_back_end_does_not_answer(desk, two, outage):
    outage()
    answer = desk.open("promote")
    assert answer.status_code == 502
    assert "The key-value store did not answer." in answer.content.decode()


def test_outage_between_confirmation_and_task(desk, operator, two, outage):
    desk.confirm("promote")
    outage()
    run_tasks()
    operation = Operation.objects.get()
    assert (operation.state, operation.steps.last().is_fault) == (State.FAILED, True)
    assert "did not answer" in lines(operation)[-1]


def test_page_of_an_environment_opens_without_the_back_end(desk, two, outage):
    outage()
    assert desk.client.get(desk.address("change")).status_code == 200
    answer = desk.client.get(desk.address("drift"))
    assert answer.status_code == 200
    assert "does not answer" in answer.content.decode()
    assert "manage.py doctor" in answer.content.decode()


def test_failed_switch_names_its_deployment(desk, two, viewers):
    viewers(lambda: ViewerResponse(500, {}, b""))
    operation = desk.do("promote")
    assert operation.state == State.FAILED
    assert operation.deployment.outcome.result == "restored"
    assert "/ answered 500" in lines(operation)[-1]


# A task that is gone


def test_defect_in_a_task_is_reported(desk, two, monkeypatch):
    def break_off(*args, **kwargs):
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr(run, "deploy", break_off)
    desk.confirm("promote")
    with pytest.raises(ZeroDivisionError):
        run_tasks()
    operation = Operation.objects.get()
    assert operation.state == State.FAILED
    assert "ended early: division by zero." in lines(operation)[-1]


def test_deployment_of_a_killed_task_is_settled_by_the_next(
    desk, two, production, viewers, monkeypatch
):
    def kill():
        raise Killed

    desk.confirm("promote")
    viewers(kill)
    with pytest.raises(Killed):
        run_tasks()
    monkeypatch.undo()
    assert "repeating the action settles" in lines(Operation.objects.get())[-1]
    begun = production.deployments.unfinished().get()
    page = desk.open("promote").content.decode()
    assert f"Interrupted deployment {begun.pk} is settled first" in page
    operation = desk.do("promote")
    assert f"Settle interrupted deployment {begun.pk}: succeeded" in lines(operation)
    assert (production.live, operation.state) == (begun, State.DONE)
    assert "Nothing to do" in desk.open("promote").content.decode()


# Waiting


def test_task_that_no_cluster_takes(desk, two, database_clock):
    desk.confirm("promote")
    operation = Operation.objects.get()
    assert "manage.py work" not in desk.steps(operation)
    database_clock.shift(timedelta(seconds=11))
    assert "manage.py work" in desk.steps(operation)
    assert 'data-ended=""' in desk.steps(operation)


def test_operation_requested_long_ago_is_not_carried_out(desk, operator, two, database_clock):
    desk.confirm("promote")
    database_clock.shift(GOOD_FOR + timedelta(seconds=1))
    assert "Lapsed" in desk.steps(Operation.objects.get())
    run_tasks()
    operation = Operation.objects.get()
    assert (operation.state, operator.served()) == (State.FAILED, two[0].name)
    assert "try again" in lines(operation)[-1]


def test_cluster_whose_clock_is_ahead_carries_an_operation_out(desk, operator, two, time_machine):
    desk.confirm("promote")
    time_machine.move_to(timezone.now() + 2 * GOOD_FOR)
    run_tasks()
    assert (Operation.objects.get().state, operator.served()) == (State.DONE, two[1].name)


def test_time_limit_covers_a_switch_and_ends_before_a_retry(settings):
    patience = run.PATIENCE.wait_seconds
    assert 2 * 30 + settings.EDGE_INVALIDATION_SECONDS + patience < settings.OPERATION_SECONDS
    assert settings.Q_CLUSTER["retry"] > settings.OPERATION_SECONDS + 3  # 3 s are django-q's margin


# The page of an operation


def test_operation_page_lists_its_steps_and_leads_back(desk, two):
    operation = desk.do("promote")
    page = desk.client.get(desk.address("operation", operation.pk)).content.decode()
    shown = re.findall(r"<span>([^<]+)</span></li>", page)
    assert shown[0].startswith("production:")
    assert "deployment" in shown[-1]
    assert desk.address("change") in page
    assert "http-equiv" not in page


def test_page_reloads_by_itself_without_javascript(desk, two):
    desk.confirm("promote")
    page = desk.client.get(desk.address("operation", Operation.objects.get().pk)).content.decode()
    assert '<noscript><meta http-equiv="refresh"' in page
    assert 'role="status"' in page


def test_operation_belongs_to_its_environment(desk, two, staging):
    desk.confirm("promote")
    other = Desk(desk.client, staging)
    assert (
        other.client.get(other.address("operation", Operation.objects.get().pk)).status_code == 404
    )


def test_environment_page_links_to_the_running_operation(desk, two):
    desk.confirm("promote")
    page = desk.client.get(desk.address("change")).content.decode()
    assert desk.address("operation", Operation.objects.get().pk) in page
