"""A canary that is worse for its viewers ends by itself; an equal one goes on."""

from datetime import timedelta

import pytest

from deployments.models import Environment, HookRun, Operation, PageTiming
from deployments.operations.canary_watch import ACTOR, why_end
from deployments.tasks import watch_canaries
from deployments.timings.counting import hour_of
from edge.database_clock import database_now
from tests.deployments.deploy.test_canaries import routing
from tests.deployments.desks import run_tasks


@pytest.fixture
def canary(operator, two, production):
    """B for 5% of viewers, watched with a margin of 20%; A is live."""
    operator.canary(5)
    Environment.objects.filter(pk=production.pk).update(canary_margin=20)
    production.refresh_from_db()
    return two


def test_canary_that_is_400_ms_slower_ends_and_says_why(
    canary, production, backend, add_views, operator
):
    live, candidate = canary
    add_views(live, 9_800, seed=1)
    add_views(candidate, 600, seed=2, slower=400)
    ended = watch_canaries()
    why = ended["production"]
    assert why.startswith("track: LCP p75 1,")
    assert " with 20% allowed, 600 and 9,800 samples" in why
    run_tasks()
    assert production.canary is None
    assert production.live.release == live
    assert routing(backend, production).canary is None
    assert operator.served() == live.name
    last = production.deployments.last()
    assert (last.kind, last.actor, last.reason) == ("rollback", ACTOR, why)
    assert production.freezes.guards().in_force().get().release == candidate
    assert watch_canaries() == {}


def reasons(production, canary, add_views, seed, **theirs):
    """Return what the watch says after 200, 400, ... 1,600 views of the canary."""
    PageTiming.objects.all().delete()
    live, candidate = canary
    said = []
    for step in range(8):
        add_views(live, 1_000, seed=seed * 100 + step, errors=5)
        add_views(candidate, 200, seed=seed * 100 + 50 + step, errors=1, **theirs)
        said.append(why_end(production))
    return said


def test_equal_canary_goes_on_in_20_runs(canary, production, add_views):
    for seed in range(20):
        assert not any(reasons(production, canary, add_views, seed)), seed


def test_canary_that_is_400_ms_slower_ends_in_20_runs(canary, production, add_views):
    for seed in range(20):
        assert "LCP" in reasons(production, canary, add_views, seed, slower=400)[-1], seed


def test_canary_within_its_margin_goes_on(canary, production, add_views):
    live, candidate = canary
    add_views(live, 4_000, seed=1)
    add_views(candidate, 4_000, seed=2, slower=100)
    assert why_end(production) is None


@pytest.mark.parametrize(("theirs", "ours"), [(199, 4_000), (4_000, 199), (1, 4_000)])
def test_too_few_samples_decide_nothing(canary, production, add_views, theirs, ours):
    live, candidate = canary
    add_views(live, ours, seed=1)
    add_views(candidate, theirs, seed=2, slower=4_000, errors=theirs)
    assert why_end(production) is None


def test_canary_that_fails_more_often_ends(canary, production, add_views):
    live, candidate = canary
    add_views(live, 9_800, seed=1, errors=98)
    add_views(candidate, 600, seed=2, errors=60)
    assert why_end(production) == (
        "track: errors in 10.0% of views against 1.0% with 20% allowed, 600 and 9,800 views"
    )


def test_few_errors_decide_nothing(canary, production, add_views):
    live, candidate = canary
    add_views(live, 9_800, seed=1)
    add_views(candidate, 600, seed=2, errors=9)
    assert why_end(production) is None


def test_surfaces_are_compared_with_themselves(canary, production, add_views):
    live, candidate = canary
    add_views(live, 4_000, seed=1, surface="home")
    add_views(candidate, 4_000, seed=2, slower=400, surface="track")
    assert why_end(production) is None


def test_other_hours_are_not_compared(canary, production, add_views):
    live, candidate = canary
    before = database_now() - timedelta(hours=2)
    add_views(live, 4_000, seed=1, at=before)
    add_views(candidate, 4_000, seed=2, slower=400)
    assert why_end(production) is None
    assert hour_of(before) < hour_of(production.canary.at)


def test_canary_without_a_margin_goes_on(canary, production, add_views):
    live, candidate = canary
    Environment.objects.filter(pk=production.pk).update(canary_margin=None)
    add_views(live, 4_000, seed=1)
    add_views(candidate, 4_000, seed=2, slower=4_000)
    assert watch_canaries() == {}


def test_environment_without_a_canary_is_left_alone(two, production, add_views):
    Environment.objects.update(canary_margin=20)
    add_views(two[0], 4_000, seed=1)
    assert watch_canaries() == {}


def test_watch_asks_once_and_hooks_are_called(canary, production, add_views):
    production.hooks.create(moment="after", kind="command", target="true", created_by="olga")
    add_views(canary[0], 4_000, seed=1)
    add_views(canary[1], 4_000, seed=2, slower=400)
    assert watch_canaries()
    assert not watch_canaries()
    assert Operation.objects.count() == 1
    run_tasks()
    payload = HookRun.objects.get().payload
    assert (payload["kind"], payload["actor"]) == ("rollback", ACTOR)


def test_canary_promoted_meanwhile_stays(canary, production, add_views, operator):
    add_views(canary[0], 4_000, seed=1)
    add_views(canary[1], 4_000, seed=2, slower=400)
    assert watch_canaries()
    operator.promote()
    run_tasks()
    assert production.live.release == canary[1]
    assert Operation.objects.get().state == Operation.State.FAILED


def test_one_environments_fault_leaves_the_others(canary, add_views, monkeypatch, caplog):
    add_views(canary[0], 4_000, seed=1)
    add_views(canary[1], 4_000, seed=2, slower=400)
    canary[0].__class__.objects.filter(pk=canary[0].pk).update(removed_at=database_now())
    assert watch_canaries() == {}
    assert "The canary of production is worse, but goes on" in caplog.text
