import pytest

from deployments.deploy.deploy import deploy
from deployments.deploy.probe import probed_pages
from deployments.deploy.targets import function_target, promote_target, rollback_target
from deployments.errors import ChangedMeanwhile, Refused
from deployments.live_history import served_in_order
from deployments.models import Deployment, FunctionVersion


@pytest.fixture
def live_releases(operator):
    """Push and promote the named releases, one after the other."""

    def make(marks):
        releases = []
        for mark in marks:
            releases.append(operator.push(mark))
            operator.promote()
        return releases

    return make


@pytest.fixture
def new_function(monkeypatch):
    """Let this checkout ship another function."""

    def ship(line):
        source = FunctionVersion.objects.earliest("pk").source + f"// {line}\n"
        monkeypatch.setattr("deployments.routing.functions.function_source", lambda: source)

    return ship


def test_rolling_back_again_goes_further_back(operator, live_releases):
    first, second, third = live_releases("ABC")
    assert operator.served() == third.name
    operator.rollback()
    assert operator.served() == second.name
    operator.rollback()
    assert operator.served() == first.name
    with pytest.raises(Refused) as refused:
        operator.rollback()
    assert refused.value.code == "nothing-before"


def test_what_was_left_is_not_gone_back_to(operator, live_releases):
    first, second = live_releases("AB")
    operator.rollback()
    third = operator.push("C")
    operator.promote()
    operator.rollback()
    assert operator.served() == first.name
    assert second.name not in {third.name, first.name}


def test_a_named_release_may_be_any_that_was_live(operator, live_releases):
    _, second = live_releases("AB")
    operator.rollback()
    operator.rollback(second)
    assert operator.served() == second.name


def test_a_choice_made_from_what_is_live_no_longer_is_refused(operator, live_releases, production):
    live_releases("AB")
    chosen = rollback_target(environment=production, actor="otto")
    live_releases("C")
    with pytest.raises(ChangedMeanwhile) as refused:
        operator.deploy(chosen)
    assert refused.value.code == "live-changed"


def test_a_published_function_can_be_rolled_back(
    operator, live_releases, production, new_function, backend
):
    (release,) = live_releases("A")
    before = production.live.function
    new_function("v2")
    deploy(backend, function_target(environment=production, actor="olga"), say=print)
    assert production.live.function != before
    operator.rollback()
    assert (production.live.release, production.live.function) == (release, before)


def test_a_named_release_is_promoted_with_the_function_it_ran_with_there(
    operator, live_releases, production, staging, new_function, backend
):
    (release,) = live_releases("A")
    recorded = production.live.function
    new_function("v2")
    deploy(backend, function_target(environment=staging, actor="olga"), say=print)
    target = promote_target(source=staging, to=production, release=release, actor="olga")
    assert target.function == recorded


def test_a_named_release_can_be_promoted_within_staging(operator, staging, backend):
    first = operator.push("A")
    operator.push("B")
    deploy(
        backend,
        promote_target(source=staging, to=staging, release=first, actor="olga"),
        say=print,
    )
    assert staging.live.release == first


def test_describing_a_new_function_writes_nothing(operator, staging, new_function):
    operator.push("A")
    versions = FunctionVersion.objects.count()
    new_function("v2")
    assert function_target(environment=staging, actor="olga").function.pk is None
    assert FunctionVersion.objects.count() == versions


def test_the_stack_is_what_was_served_in_order(operator, live_releases, production):
    first, second = live_releases("AB")
    assert [d.release for d in served_in_order(production)] == [first, second]
    operator.rollback()
    assert [d.release for d in served_in_order(production)] == [first]
    assert Deployment.objects.filter(environment=production).count() == 3


def test_only_the_local_edge_is_a_cache_without_a_distribution(
    production, operator, backend, replaced
):
    release = operator.push("A")
    assert production.caches(backend) == {"production": []}
    without_cache = replaced(has_local_cache=False)
    assert production.caches(without_cache) == {}
    assert set(probed_pages(production, release)) == set(release.pages)
    production.distributions.create(remote_id="E1", paths=["/book/*"])
    assert production.caches(backend) == production.caches(without_cache) == {"E1": ["/book/*"]}
