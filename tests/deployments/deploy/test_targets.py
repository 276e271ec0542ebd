import pytest

from deployments.deploy.deploy import deploy
from deployments.deploy.probe import probed_pages
from deployments.deploy.targets import function_target, promote_target, rollback_target
from deployments.errors import ChangedMeanwhile, Refused
from deployments.live_history import served_in_order
from deployments.models import Deployment, FunctionVersion


@pytest.fixture
def live_releases(operator):
    """Return a function that pushes and promotes a release per mark, one after the other."""

    def make(marks):
        releases = []
        for mark in marks:
            releases.append(operator.push(mark))
            operator.promote()
        return releases

    return make


@pytest.fixture
def new_function(ship_function):
    """Return a function that ships a new version of the edge function."""
    return lambda: ship_function(FunctionVersion.objects.earliest("pk").source + "// v2\n")


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


def test_rollback_skips_what_an_earlier_rollback_left(operator, live_releases):
    first, _ = live_releases("AB")
    operator.rollback()
    live_releases("C")
    operator.rollback()
    assert operator.served() == first.name


def test_rollback_to_any_release_that_was_live(operator, live_releases):
    _, second = live_releases("AB")
    operator.rollback()
    operator.rollback(second)
    assert operator.served() == second.name


def test_target_chosen_from_a_release_no_longer_live_is_refused(
    operator, live_releases, production
):
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
    new_function()
    deploy(backend, function_target(environment=production, actor="olga"), say=print)
    assert production.live.function != before
    operator.rollback()
    assert (production.live.release, production.live.function) == (release, before)


def test_a_named_release_is_promoted_with_the_function_it_ran_with_there(
    operator, live_releases, production, staging, new_function, backend
):
    (release,) = live_releases("A")
    recorded = production.live.function
    new_function()
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


def test_target_with_a_new_function_writes_nothing(operator, staging, new_function):
    operator.push("A")
    versions = FunctionVersion.objects.count()
    new_function()
    assert function_target(environment=staging, actor="olga").function.pk is None
    assert FunctionVersion.objects.count() == versions


def test_served_in_order_is_the_way_back(operator, live_releases, production):
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
