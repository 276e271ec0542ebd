"""Promote, canary and roll back from the admin: what is confirmed is done or refused."""

import time

import pytest
from django.utils import timezone
from django_q.models import OrmQ

from deployments import tasks
from deployments.deploy import deploy
from deployments.deploy.freezes import freeze, unfreeze
from deployments.deploy.plan import Target
from deployments.locks.deploy_lock import deploy_lock
from deployments.models import (
    Environment,
    FunctionVersion,
    Operation,
    Release,
)
from deployments.operations import run
from deployments.operations.proposals import DeployRequest, Kind, propose
from edge.backends import get_backend
from edge.functions.shipped import digest_of
from tests.deployments.desks import lines, run_tasks
from tests.deployments.sites import Operator
from tests.dispatch.conftest import shared_database, together  # noqa: F401 - fixtures

State = Operation.State


def test_promotion(desk, operator, two, production):
    operation = desk.do("promote", reason="Approved by Ines")
    assert operator.served() == two[1].name
    assert (operation.state, operation.deployment) == (State.DONE, production.live)
    assert (production.live.actor, production.live.reason) == ("admin (admin)", "Approved by Ines")
    assert lines(operation)[0] == f"production: {two[0]} -> {two[1]}"
    assert f"Switch production from {two[0]} to {two[1]}" in lines(operation)
    assert lines(operation)[-1] == f"production serves {two[1]}: deployment {production.live.pk}"


def test_task_gets_only_the_operations_number(desk, two, settings):
    desk.confirm("promote", reason="Secret reason")
    assert OrmQ.objects.get().key == "deployments"  # bookings are published from another queue
    task = OrmQ.objects.get().task
    assert (task["args"], task["kwargs"]) == ((Operation.objects.get().pk,), {})
    assert task["timeout"] == settings.OPERATION_SECONDS


def test_page_shows_plan_and_diff_before_anything_is_done(desk, operator, two):
    text = desk.open("promote").content.decode()
    for shown in [*map(str, two), "5 files changed", "Edge function stays", "book/index.html"]:
        assert shown in text
    assert operator.served() == two[0].name
    assert not Operation.objects.exists()


def test_canary_begins_grows_and_is_promoted(desk, operator, two, production):
    operation = desk.do("canary", percent=5)
    assert (operation.kind, production.canary.percent) == ("canary", 5)
    desk.do("canary", percent=25)
    assert (production.canary.percent, production.canary.release) == (25, two[1])
    operator.push("C")  # staging moves on; the canary is what is promoted
    desk.do("promote")
    assert (operator.served(), production.canary) == (two[1].name, None)


def test_rolling_back_ends_a_canary(desk, operator, two, production):
    operator.canary(10)
    assert "ends the canary" in desk.open("rollback").content.decode()
    desk.do("rollback")
    assert (production.live.release, production.canary) == (two[0], None)


@pytest.mark.parametrize(("now", "offered"), [(1, 5), (5, 10), (30, 50), (60, 60)])
def test_next_larger_share_is_offered_first(desk, operator, two, now, offered):
    assert desk.open("canary").context["wish"].percent == 5
    operator.canary(now)
    assert desk.open("canary").context["wish"].percent == offered


def test_diff_of_ending_a_canary_is_from_its_release(desk, operator, two):
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
    assert "Live next" in page
    assert "All viewers will see" not in page


def test_rollback_to_a_chosen_release(desk, operator, two, production):
    operator.promote()
    operator.push("C")
    operator.promote()
    offered = [one.release for one in desk.open("rollback").context["past"]]
    assert offered == [two[1], two[0]]
    assert desk.open("rollback").context["target"].release == two[1]
    desk.do("rollback", release=two[0].name)
    assert production.live.release == two[0]


def test_confirmed_release_is_promoted_even_if_staging_moves_on(desk, operator, two, production):
    desk.confirm("promote")
    operator.push("C")
    run_tasks()
    assert production.live.release == two[1]


def test_first_release_of_an_environment_gets_the_shipped_function(desk, operator, production):
    release = operator.release("A")
    operation = desk.do("promote", release=release.name)
    assert (operation.state, production.live.release) == (State.DONE, release)


def test_second_click_starts_nothing(desk, two):
    assert [desk.confirm("promote").status_code for _ in range(2)] == [302, 302]
    assert (Operation.objects.count(), OrmQ.objects.count()) == (1, 1)


def test_second_click_during_the_task_starts_nothing(desk, two):
    desk.confirm("promote")
    Operation.objects.update(state=State.RUNNING, alive_at=timezone.now())
    desk.confirm("promote")
    assert (Operation.objects.count(), OrmQ.objects.count()) == (1, 1)


def test_two_clicks_at_once_start_one_operation(together, tmp_path, settings, monkeypatch):  # noqa: F811 - a fixture
    settings.EDGE_PROBE_SECONDS = 0
    operator = Operator(get_backend(), tmp_path)
    operator.push("A")
    production = Environment.objects.named("production")
    wish = DeployRequest(Kind.PROMOTE, production, Environment.objects.named("staging"))
    proposal = propose(operator.backend, wish, actor="ines")
    # Widen the gap between the search for an earlier operation and the new row.
    monkeypatch.setattr(run.functions, "keep", lambda version: time.sleep(0.2))
    asked = together(
        lambda: run.ask(environment=production, proposal=proposal, actor="ines", reason="Approved")
    )
    assert len(set(asked)) == 1
    assert (Operation.objects.count(), OrmQ.objects.count()) == (1, 1)


def test_task_delivered_twice_deploys_once(desk, two, production):
    operation = desk.do("promote")
    said = lines(operation)
    tasks.run_operation(operation.pk)
    assert lines(operation) == said
    assert production.deployments.count() == 2


def test_task_delivered_again_while_running_does_nothing(desk, two):
    desk.confirm("promote")
    Operation.objects.update(state=State.RUNNING, alive_at=timezone.now())
    run_tasks()
    assert (Operation.objects.get().state, lines(Operation.objects.get())) == (State.RUNNING, [])


def test_page_says_that_the_release_is_already_live(desk, operator, two):
    operator.promote()
    assert "Nothing to do" in desk.open("promote").content.decode()


def test_another_operator_was_faster(desk, operator, two, production):
    desk.confirm("promote")
    operator.promote()
    run_tasks()
    operation = Operation.objects.get()
    assert operation.state == State.DONE
    assert lines(operation)[-1] == f"Nothing to do: production already serves {two[1]}"


# Refusals


def test_live_release_changed_between_page_and_confirmation(desk, operator, two):
    seen = desk.open("promote").context["form"].initial["seen"]
    operator.promote(operator.push("C"))
    answer = desk.confirm("promote", seen=seen)
    assert answer.status_code == 409
    assert "has changed since you opened this page" in answer.content.decode()
    assert not Operation.objects.exists()


def test_live_release_changed_between_confirmation_and_task(desk, operator, two, production):
    desk.confirm("promote")
    third = operator.push("C")
    operator.promote()
    run_tasks()
    operation = Operation.objects.get()
    assert (operation.state, production.live.release) == (State.FAILED, third)
    message = f"production had {two[0]} when this was confirmed and now has {third}"
    assert message in lines(operation)[-1]
    assert operation.steps.last().is_fault


def test_canary_began_between_confirmation_and_task(desk, operator, two, production):
    desk.confirm("promote")
    operator.push("C")
    operator.canary(5)
    run_tasks()
    assert "had no canary when this was confirmed" in lines(Operation.objects.get())[-1]
    assert production.live.release == two[0]


def test_canary_began_just_before_the_task_took_the_lock(
    desk, operator, two, production, monkeypatch
):
    desk.confirm("promote")
    third = operator.push("C")

    def lock_after_another_operator(**options):
        monkeypatch.setattr(deploy, "deploy_lock", deploy_lock)
        operator.canary(5)
        return deploy_lock(**options)

    monkeypatch.setattr(deploy, "deploy_lock", lock_after_another_operator)
    run_tasks()
    assert "had no canary when this was confirmed" in lines(Operation.objects.get())[-1]
    assert (production.live.release, production.canary.release) == (two[0], third)


def test_frozen_environment(desk, two, production):
    freeze(environment=production, reason="stock-taking", actor="olga")
    answer = desk.open("promote")
    assert answer.status_code == 409
    assert "stock-taking (olga, since" in answer.content.decode()
    assert "<button" not in answer.content.decode().split("<main")[1].split("</main")[0]


def test_freeze_between_confirmation_and_task(desk, operator, two, production):
    desk.confirm("promote")
    freeze(environment=production, reason="stock-taking", actor="olga")
    run_tasks()
    assert "stock-taking" in lines(Operation.objects.get())[-1]
    assert operator.served() == two[0].name


@pytest.mark.parametrize(
    ("kind", "query", "message"),
    [
        ("rollback", {"release": "20200101-000000-00000000"}, "No release is called"),
        ("promote", {"source": "moon"}, "No environment is called"),
        ("promote", {"source": "production"}, "are both production"),
        ("canary", {"percent": "0"}, "takes 1 to 99"),
        ("canary", {"percent": "100"}, "takes 1 to 99"),
        ("canary", {"percent": "five"}, "takes 1 to 99"),
        ("canary", {"percent": "9" * 5000}, "takes 1 to 99"),  # more than int() reads
    ],
)
def test_invalid_requests_are_refused(desk, two, kind, query, message):
    for answer in (desk.open(kind, **query), desk.confirm(kind, seen="x", **query)):
        assert answer.status_code == 409
        assert message in answer.content.decode()
    assert not Operation.objects.exists()


def test_nothing_to_promote_from(desk, operator):
    assert "manage.py push --to staging" in desk.open("promote").content.decode()


def test_release_that_was_never_live(desk, operator, two):
    assert "was never live" in desk.open("rollback", release=two[1].name).content.decode()


def test_release_removed_between_confirmation_and_task(desk, two):
    desk.confirm("promote")
    Release.objects.filter(pk=two[1].pk).update(removed_at=timezone.now())
    run_tasks()
    assert "was removed at" in lines(Operation.objects.get())[-1]


@pytest.mark.parametrize("reason", ["", "   ", "x" * 301])
def test_reason_is_required_and_limited(desk, two, reason):
    answer = desk.confirm("promote", reason=reason)
    assert answer.status_code == 422
    assert answer.context["form"].errors["reason"]
    assert "What would change" in answer.content.decode()
    assert not Operation.objects.exists()


def test_kinds_without_a_page(desk, two):
    for kind in ("push", "function", "nonsense"):
        assert desk.open(kind).status_code == 404


def test_locked_environment_ends_the_operation_and_names_the_holder(
    desk, two, production, monkeypatch
):
    monkeypatch.setattr(run, "PATIENCE", run.Patience())
    desk.confirm("promote")
    with deploy_lock(environment=production, actor="olga", reason="promote"):
        run_tasks()
    assert "locked by olga" in lines(Operation.objects.get())[-1]


def test_failed_operation_stays_on_the_environments_page_until_one_succeeds(desk, operator, two):
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


def test_failed_operation_is_not_linked_to_another_deployment(desk, two, production):
    desk.confirm("canary", percent=5)
    desk.confirm("promote")
    run_tasks()
    canary, promotion = Operation.objects.order_by("pk")
    assert (canary.state, promotion.state) == (State.DONE, State.FAILED)
    assert canary.deployment == production.canary
    assert promotion.deployment is None
