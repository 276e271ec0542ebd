"""Promote, canary and roll back from the admin: what is confirmed is what is done, or refused."""

import re
import socket
import time
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from django_q.models import OrmQ
from redis.exceptions import ConnectionError as RedisConnectionError

from deployments import deploying, operations, progress, tasks
from deployments.freezing import freeze, unfreeze
from deployments.locking import LEASE, deploy_lock
from deployments.models import (
    DeployLock,
    Environment,
    FunctionVersion,
    Operation,
    Release,
    Strategy,
)
from deployments.plans import Target
from deployments.proposals import Kind, Wish, propose
from edge.backends import get_backend
from edge.errors import BackendUnavailable
from edge.shipped import digest_of
from tests.deployments.doubles import Killed
from tests.deployments.sites import Operator
from tests.dispatch.conftest import shared_database, together  # noqa: F401 - fixtures

State = Operation.State


@pytest.fixture
def two(operator):
    """A is live in production, B in staging."""
    releases = [operator.push("A")]
    operator.promote()
    return [*releases, operator.push("B")]


@pytest.fixture
def desk(admin_client, production):
    return Desk(admin_client, production)


class Desk:
    """Somebody at the pages of an environment."""

    def __init__(self, client, environment):
        self.client, self.environment = client, environment

    def address(self, name, *args):
        return reverse(f"admin:deployments_environment_{name}", args=[self.environment.pk, *args])

    def open(self, kind, **query):
        return self.client.get(self.address("deploy", kind), query)

    def confirm(self, kind, *, reason="Approved", seen=None, **query):
        """Open the page and confirm what it shows."""
        page = self.open(kind, **query)
        shown = page.context["form"].initial.get("seen", "")
        address = page.wsgi_request.get_full_path()
        return self.client.post(address, {"reason": reason, "seen": seen or shown})

    def do(self, kind, **kwargs):
        """Confirm, and run the task as the cluster would."""
        answer = self.confirm(kind, **kwargs)
        assert answer.status_code == 302, answer.context.get("refusal")
        run_tasks()
        return Operation.objects.latest("pk")

    def steps(self, operation):
        return self.client.get(self.address("steps", operation.pk)).content.decode()


def run_tasks():
    for queued in OrmQ.objects.all():
        task = queued.task
        assert task["func"] == "deployments.tasks.run_operation"
        queued.delete()
        tasks.run_operation(*task["args"])


def lines(operation):
    return [step.line for step in operation.steps.all()]


def test_promotion(desk, operator, two, production):
    operation = desk.do("promote", reason="Approved by Ines")
    assert operator.served() == two[1].name
    assert (operation.state, operation.deployment) == (State.DONE, production.live)
    assert (production.live.actor, production.live.reason) == ("admin (admin)", "Approved by Ines")
    assert lines(operation)[0] == f"production: {two[0]} -> {two[1]}"
    assert f"Switch production from {two[0]} to {two[1]}" in lines(operation)
    assert lines(operation)[-1] == f"production serves {two[1]}: deployment {production.live.pk}"


def test_task_gets_nothing_but_the_number(desk, two, settings):
    desk.confirm("promote", reason="Secret reason")
    task = OrmQ.objects.get().task
    assert (task["args"], task["kwargs"]) == ((Operation.objects.get().pk,), {})
    assert task["timeout"] == settings.OPERATION_SECONDS


def test_page_shows_plan_and_diff_before_anything_is_done(desk, operator, two):
    text = desk.open("promote").content.decode()
    for shown in [*map(str, two), "5 files changed", "Edge function stays", "book/index.html"]:
        assert shown in text
    assert operator.served() == two[0].name
    assert not Operation.objects.exists()


def test_canary_begins_grows_and_is_given_to_everybody(desk, operator, two, production):
    operation = desk.do("canary", percent=5)
    assert (operation.kind, production.canary.percent) == ("canary", 5)
    desk.do("canary", percent=25)
    assert (production.canary.percent, production.canary.release) == (25, two[1])
    operator.push("C")  # staging goes on; what is tried is what is finished
    desk.do("promote")
    assert (operator.served(), production.canary) == (two[1].name, None)


def test_rolling_back_ends_a_canary(desk, operator, two, production):
    operator.canary(10)
    assert "ends the canary" in desk.open("rollback").content.decode()
    desk.do("rollback")
    assert (production.live.release, production.canary) == (two[0], None)


@pytest.mark.parametrize(("now", "offered"), [(1, 5), (5, 10), (30, 50), (60, 60)])
def test_share_that_is_offered_first_is_no_smaller_one(desk, operator, two, now, offered):
    assert desk.open("canary").context["wish"].percent == 5
    operator.canary(now)
    assert desk.open("canary").context["wish"].percent == offered


def test_what_the_viewers_of_a_canary_get_back_is_shown(desk, operator, two):
    operator.canary(10)
    page = desk.open("rollback")
    assert (page.context["before"], page.context["target"].release) == (two[1], two[0])
    assert "5 files changed" in page.content.decode()


def test_first_release_of_many_files_names_no_command_without_a_release(desk, operator):
    operator.push("A", extra=200)
    page = desk.open("promote").content.decode()
    assert "more" in page.split("dep-files")[1]
    assert "manage.py diff" not in page


def test_function_alone_is_rolled_back(desk, operator, two, production):
    source = production.live.function.source + "// newer"
    newer = FunctionVersion(digest=digest_of(source), source=source, created_by="olga")
    operator.deploy(Target(production, two[0], newer, Kind.FUNCTION, "olga", ""))
    page = desk.open("rollback").content.decode()
    assert "Then live" in page
    assert "All viewers see again" not in page


def test_rolling_back_goes_where_it_is_told(desk, operator, two, production):
    operator.promote()
    operator.push("C")
    operator.promote()
    offered = [one.release for one in desk.open("rollback").context["past"]]
    assert offered == [two[1], two[0]]
    assert desk.open("rollback").context["target"].release == two[1]
    desk.do("rollback", release=two[0].name)
    assert production.live.release == two[0]


def test_what_was_confirmed_is_done_whatever_staging_has_by_then(desk, operator, two, production):
    desk.confirm("promote")
    operator.push("C")
    run_tasks()
    assert production.live.release == two[1]


def test_first_release_of_an_environment_brings_the_shipped_function(desk, operator, production):
    release = operator.release("A")
    operation = desk.do("promote", release=release.name)
    assert (operation.state, production.live.release) == (State.DONE, release)


def test_second_click_asks_once(desk, two):
    assert [desk.confirm("promote").status_code for _ in range(2)] == [302, 302]
    assert (Operation.objects.count(), OrmQ.objects.count()) == (1, 1)


def test_second_click_while_the_first_one_runs_asks_once(desk, two):
    desk.confirm("promote")
    Operation.objects.update(state=State.RUNNING)
    desk.confirm("promote")
    assert (Operation.objects.count(), OrmQ.objects.count()) == (1, 1)


def test_two_clicks_at_once_ask_once(together, tmp_path, settings, monkeypatch):  # noqa: F811 - a fixture
    settings.EDGE_PROBE_SECONDS = 0
    operator = Operator(get_backend(), tmp_path)
    operator.push("A")
    production = Environment.objects.named("production")
    wish = Wish(Kind.PROMOTE, production, Environment.objects.named("staging"))
    proposal = propose(operator.backend, wish, actor="ines")
    # Between looking whether it was asked already and writing it down.
    monkeypatch.setattr(operations.functions, "keep", lambda version: time.sleep(0.2))
    asked = together(
        lambda: operations.ask(
            environment=production, proposal=proposal, actor="ines", reason="Approved"
        )
    )
    assert len(set(asked)) == 1
    assert (Operation.objects.count(), OrmQ.objects.count()) == (1, 1)


def test_task_delivered_twice_does_it_once(desk, two, production):
    operation = desk.do("promote")
    said = lines(operation)
    tasks.run_operation(operation.pk)
    assert lines(operation) == said
    assert production.deployments.count() == 2


def test_task_delivered_while_the_first_one_runs_leaves_it_alone(desk, two):
    desk.confirm("promote")
    Operation.objects.update(state=State.RUNNING)
    run_tasks()
    assert (Operation.objects.get().state, lines(Operation.objects.get())) == (State.RUNNING, [])


def test_what_is_live_already_is_said(desk, operator, two):
    operator.promote()
    assert "Nothing to do" in desk.open("promote").content.decode()


def test_somebody_else_did_it_meanwhile(desk, operator, two, production):
    desk.confirm("promote")
    operator.promote()
    run_tasks()
    operation = Operation.objects.get()
    assert operation.state == State.DONE
    assert lines(operation)[-1] == f"Nothing to do: production serves {two[1]} already"


# Refusals


def test_live_release_that_changed_between_page_and_yes(desk, operator, two):
    seen = desk.open("promote").context["form"].initial["seen"]
    operator.promote(operator.push("C"))
    answer = desk.confirm("promote", seen=seen)
    assert answer.status_code == 409
    assert "changed since this page was opened" in answer.content.decode()
    assert not Operation.objects.exists()


def test_live_release_that_changed_between_yes_and_task(desk, operator, two, production):
    desk.confirm("promote")
    third = operator.push("C")
    operator.promote()
    run_tasks()
    operation = Operation.objects.get()
    assert (operation.state, production.live.release) == (State.FAILED, third)
    told = f"production had {two[0]} when this was confirmed, and has {third} now"
    assert told in lines(operation)[-1]
    assert operation.steps.last().is_fault


def test_canary_that_began_between_yes_and_task(desk, operator, two, production):
    desk.confirm("promote")
    operator.push("C")
    operator.canary(5)
    run_tasks()
    assert "had no canary when this was confirmed" in lines(Operation.objects.get())[-1]
    assert production.live.release == two[0]


def test_canary_that_began_while_the_task_came_to_the_lock(
    desk, operator, two, production, monkeypatch
):
    desk.confirm("promote")
    third = operator.push("C")

    def lock_after_somebody_else(**options):
        monkeypatch.setattr(deploying, "deploy_lock", deploy_lock)
        operator.canary(5)
        return deploy_lock(**options)

    monkeypatch.setattr(deploying, "deploy_lock", lock_after_somebody_else)
    run_tasks()
    assert "had no canary when this was confirmed" in lines(Operation.objects.get())[-1]
    assert (production.live.release, production.canary.release) == (two[0], third)


def test_frozen_environment(desk, two, production):
    freeze(environment=production, reason="stock-taking", actor="olga")
    answer = desk.open("promote")
    assert answer.status_code == 409
    assert "stock-taking (olga, since" in answer.content.decode()
    assert "<button" not in answer.content.decode().split("<main")[1].split("</main")[0]


def test_freeze_between_yes_and_task(desk, operator, two, production):
    desk.confirm("promote")
    freeze(environment=production, reason="stock-taking", actor="olga")
    run_tasks()
    assert "stock-taking" in lines(Operation.objects.get())[-1]
    assert operator.served() == two[0].name


@pytest.mark.parametrize(
    ("kind", "query", "told"),
    [
        ("rollback", {"release": "20200101-000000-00000000"}, "No release is called"),
        ("promote", {"source": "moon"}, "No environment is called"),
        ("promote", {"source": "production"}, "are both production"),
        ("canary", {"percent": "0"}, "takes 1 to 99 %"),
        ("canary", {"percent": "100"}, "takes 1 to 99 %"),
        ("canary", {"percent": "five"}, "takes 1 to 99 %"),
        ("canary", {"percent": "9" * 5000}, "takes 1 to 99 %"),  # more than int() reads
        ("promote", {"release": "a\0"}, "No release is called"),
        ("promote", {"source": "a\0"}, "No environment is called"),
    ],
)
def test_what_cannot_be_asked_for(desk, two, kind, query, told):
    for answer in (desk.open(kind, **query), desk.confirm(kind, seen="x", **query)):
        assert answer.status_code == 409
        assert told in answer.content.decode()
    assert not Operation.objects.exists()


def test_nothing_to_promote_from(desk, operator):
    assert "manage.py push --to staging" in desk.open("promote").content.decode()


def test_release_that_was_never_live(desk, operator, two):
    assert "was never live" in desk.open("rollback", release=two[1].name).content.decode()


def test_release_removed_between_yes_and_task(desk, two):
    desk.confirm("promote")
    Release.objects.filter(pk=two[1].pk).update(removed_at=timezone.now())
    run_tasks()
    assert "was removed at" in lines(Operation.objects.get())[-1]


@pytest.mark.parametrize("reason", ["", "   ", "x" * 301])
def test_reason_is_needed_and_short(desk, two, reason):
    answer = desk.confirm("promote", reason=reason)
    assert answer.status_code == 422
    assert answer.context["form"].errors["reason"]
    assert "What would change" in answer.content.decode()
    assert not Operation.objects.exists()


def test_kinds_that_are_no_buttons(desk, two):
    for kind in ("push", "function", "nonsense"):
        assert desk.open(kind).status_code == 404


def test_locked_environment_ends_the_operation_with_who_holds_it(
    desk, two, production, monkeypatch
):
    monkeypatch.setattr(operations, "PATIENCE", operations.Patience())
    desk.confirm("promote")
    with deploy_lock(environment=production, actor="olga", reason="promote"):
        run_tasks()
    assert "locked by olga" in lines(Operation.objects.get())[-1]


def test_what_failed_stays_on_the_environments_page_until_something_follows(desk, operator, two):
    desk.confirm("promote")
    freeze(environment=desk.environment, reason="stock-taking", actor="olga")
    run_tasks()
    operation = Operation.objects.get()
    page = desk.client.get(desk.address("change")).content.decode()
    assert desk.address("operation", operation.pk) in page
    assert page.count("stock-taking (olga, since") == 1
    unfreeze(environment=desk.environment, actor="olga")
    operator.promote()
    page = desk.client.get(desk.address("change")).content.decode()
    assert desk.address("operation", operation.pk) not in page


def test_failure_is_not_blamed_on_what_the_same_operator_did_besides(desk, two, production):
    desk.confirm("canary", percent=5)
    desk.confirm("promote")
    run_tasks()
    canary, promotion = Operation.objects.order_by("pk")
    assert (canary.state, promotion.state) == (State.DONE, State.FAILED)
    assert canary.deployment == production.canary
    assert promotion.deployment is None


# The queue


@pytest.fixture
def no_queue(monkeypatch):
    """Let the broker refuse every task."""

    def refuse(*args, **kwargs):
        raise RedisConnectionError("Error 111 connecting to redis:6379. Connection refused.")

    with monkeypatch.context() as patched:
        patched.setattr(operations, "async_task", refuse)
        yield patched


def test_queue_that_takes_nothing_ends_the_operation(desk, two, production, no_queue):
    assert desk.confirm("promote").status_code == 302
    operation = Operation.objects.get()
    assert (operation.state, operation.deployment) == (State.FAILED, None)
    assert "Connection refused. Nothing was changed." in lines(operation)[-1]
    no_queue.undo()
    assert desk.do("promote").state == State.DONE
    assert production.live.release == two[1]


# The back end


@pytest.fixture
def outage(backend, replaced, monkeypatch):
    """Put a back end in place whose key-value store does not answer."""

    class Dead:
        def __getattr__(self, name):
            def refuse(*args, **kwargs):
                raise BackendUnavailable("The key-value store did not answer.", "Try again.")

            return refuse

    def begin():
        dead = replaced(keyvalues=Dead(), functions=Dead())
        for module in ("admin.deploy_pages", "admin.environment", "operations"):
            monkeypatch.setattr(f"deployments.{module}.get_backend", lambda: dead)

    return begin


def test_page_says_that_the_back_end_does_not_answer(desk, two, outage):
    outage()
    answer = desk.open("promote")
    assert answer.status_code == 502
    assert "The key-value store did not answer." in answer.content.decode()


def test_outage_between_yes_and_task(desk, operator, two, outage, monkeypatch):
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


def test_failed_switch_names_its_deployment(desk, two, production, monkeypatch):
    monkeypatch.setattr("deployments.pointing._can_rehearse", lambda plan: False)
    wrong = {"home": "/ answered 500"}
    monkeypatch.setattr("deployments.pointing.wait_until_answered", lambda *args: wrong)
    operation = desk.do("promote")
    assert operation.state == State.FAILED
    assert operation.deployment.outcome.result == "restored"
    assert "/ answered 500" in lines(operation)[-1]


# A task that is gone


def test_task_that_dies_of_a_defect_says_so(desk, two, monkeypatch):
    def break_off(*args, **kwargs):
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr(operations, "deploy", break_off)
    desk.confirm("promote")
    with pytest.raises(ZeroDivisionError):
        run_tasks()
    operation = Operation.objects.get()
    assert operation.state == State.FAILED
    assert "ended early: division by zero." in lines(operation)[-1]


@pytest.fixture
def killed(desk, two, monkeypatch):
    """A task that was killed while it held the lock, by kill -9: nothing of ours ran after it."""
    desk.confirm("promote")
    operation = Operation.objects.get()
    OrmQ.objects.all().delete()
    now = timezone.now()
    Operation.objects.update(state=State.RUNNING)
    operation.steps.create(line="Switch production")
    DeployLock.objects.create(
        environment=operation.environment,
        holder=operation.actor,
        reason="promote",
        host="elsewhere",
        pid=1,
        acquired_at=now,
        expires_at=now + LEASE,
    )
    return operation


def kill_the_process():
    """Let the lock's process be one of this machine that does not exist."""
    DeployLock.objects.update(host=socket.gethostname(), pid=2**22 + 1)


def test_killed_task_shows_as_interrupted_at_once(desk, killed):
    assert "Running" in desk.steps(killed)
    kill_the_process()
    page = desk.steps(killed)
    assert "Interrupted" in page
    assert "One whole release is served" in page
    assert 'data-ended="yes"' in page
    Environment.objects.update(strategy=Strategy.COPY)
    assert "Files of both releases may be served" in desk.steps(killed)


def test_killed_task_of_another_machine_shows_when_its_lock_runs_out(desk, killed, time_machine):
    time_machine.move_to(timezone.now() + LEASE - timedelta(seconds=5))
    assert "Running" in desk.steps(killed)
    time_machine.shift(10)
    assert "Interrupted" in desk.steps(killed)


def test_killed_task_without_a_lock_shows_when_its_time_is_over(
    desk, killed, time_machine, settings
):
    DeployLock.objects.all().delete()
    time_machine.move_to(timezone.now() + timedelta(seconds=settings.OPERATION_SECONDS))
    assert "Running" in desk.steps(killed)
    time_machine.shift(15)
    assert "Interrupted" in desk.steps(killed)


def test_retried_task_writes_the_end_of_a_killed_one(desk, killed, operator, two):
    kill_the_process()
    tasks.run_operation(killed.pk)
    killed.refresh_from_db()
    assert killed.state == State.FAILED
    assert lines(killed)[-1].startswith("Interrupted")
    assert operator.served() == two[0].name


def test_asking_again_settles_and_finishes(desk, killed, operator, two, production):
    kill_the_process()
    operation = desk.do("promote")
    killed.refresh_from_db()
    assert (killed.state, operation.state) == (State.FAILED, State.DONE)
    assert operator.served() == two[1].name


def test_deployment_of_a_killed_task_is_settled_by_the_next(desk, operator, two, production):
    desk.confirm("promote")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("deployments.pointing._check_switched", _kill)
        with pytest.raises(Killed):
            run_tasks()
    assert "asking for the same again settles" in lines(Operation.objects.get())[-1]
    begun = production.deployments.unfinished().get()
    page = desk.open("promote").content.decode()
    assert f"Interrupted deployment {begun.pk} is settled first" in page
    operation = desk.do("promote")
    assert f"Settle interrupted deployment {begun.pk}: succeeded" in lines(operation)
    assert (production.live, operation.state) == (begun, State.DONE)
    assert "Nothing to do" in desk.open("promote").content.decode()


def _kill(*args):
    raise Killed


# Waiting


def test_nobody_takes_it_up(desk, two, time_machine):
    time_machine.move_to(timezone.now())
    desk.confirm("promote")
    operation = Operation.objects.get()
    assert "qcluster" not in desk.steps(operation)
    time_machine.shift(11)
    assert "manage.py qcluster" in desk.steps(operation)
    assert 'data-ended=""' in desk.steps(operation)


def test_what_was_asked_for_long_ago_is_not_done(desk, operator, two, time_machine):
    time_machine.move_to(timezone.now())
    desk.confirm("promote")
    time_machine.shift(progress.GOOD_FOR + timedelta(seconds=1))
    assert "Lapsed" in desk.steps(Operation.objects.get())
    run_tasks()
    operation = Operation.objects.get()
    assert (operation.state, operator.served()) == (State.FAILED, two[0].name)
    assert "ask again" in lines(operation)[-1]


def test_time_of_a_task_covers_a_switch_and_ends_before_it_is_retried(settings):
    patience = operations.PATIENCE.wait_seconds
    assert 2 * 30 + settings.EDGE_INVALIDATION_SECONDS + patience < settings.OPERATION_SECONDS
    assert settings.Q_CLUSTER["retry"] > settings.OPERATION_SECONDS + 3  # 3 s are django-q's own


# The page of an operation


def test_steps_stand_in_order_and_lead_back(desk, two):
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


def test_environment_page_points_at_what_is_underway(desk, two):
    desk.confirm("promote")
    page = desk.client.get(desk.address("change")).content.decode()
    assert desk.address("operation", Operation.objects.get().pk) in page
