import pytest

from deployments.deploy.targets import promote_target, rollback_target
from deployments.errors import Refused
from deployments.models import Deployment, Environment, Outcome, Strategy
from deployments.routing.routes import read_route
from deployments.verification.checks import find_drift
from tests.deployments.doubles import Counting


def routing(backend, environment):
    return read_route(backend.keyvalues, environment).document


def test_routing_document_holds_the_share_of_viewers(operator, backend, production, two):
    first, second = two
    operator.canary(5)
    document = routing(backend, production)
    assert document.release == first.name
    assert (document.canary.release, document.canary.percent) == (second.name, 5)
    assert production.live.release == first
    assert production.canary.release == second


def test_growing_canary_keeps_its_salt(operator, backend, production, two):
    operator.canary(5)
    salt = routing(backend, production).canary.salt
    operator.canary(25)
    assert routing(backend, production).canary.salt == salt
    assert production.canary.percent == 25


def test_new_canary_gets_a_new_salt(operator, backend, production, two):
    operator.canary(5)
    salt = routing(backend, production).canary.salt
    operator.rollback()
    operator.canary(5, release=operator.push("C"))
    assert routing(backend, production).canary.salt != salt


def test_promotion_finishes_a_canary(operator, backend, production, two):
    operator.canary(25)
    operator.promote()
    document = routing(backend, production)
    assert (document.release, document.previous) == (two[1].name, two[0].name)
    assert document.canary is None
    assert production.canary is None
    assert operator.served() == two[1].name


def test_rollback_ends_a_canary_and_goes_no_further(operator, backend, production, two):
    first, _ = two
    operator.canary(25)
    done = operator.rollback()
    assert done.deployment.release == first
    assert routing(backend, production).canary is None
    assert production.live.release == first
    assert production.canary is None


def test_same_share_again_changes_nothing(operator, two):
    operator.canary(5)
    assert operator.canary(5).deployment is None


def test_history_records_the_share(operator, production, two):
    operator.canary(5)
    last = production.deployments.last()
    assert (last.kind, last.percent) == (Deployment.Kind.CANARY, 5)
    assert last.outcome.result == Outcome.Result.SUCCEEDED
    assert str(last) == f"Canary of {two[1]} to production"


def test_canary_takes_one_update_and_no_invalidation(operator, backend, replaced, two):
    counting = Counting(backend.keyvalues)
    operator.backend = replaced(keyvalues=counting)
    assert operator.canary(5).invalidated == 0
    assert counting.calls["update"] == 1


def test_running_canary_is_not_drift(operator, backend, production, two):
    operator.canary(50)
    assert find_drift(backend, production) == []


def test_lost_canary_is_reported_with_its_repair(operator, backend, production, two):
    operator.canary(50)
    key = "host:localhost"
    plain = read_route(backend.keyvalues, production).document
    broken = plain.__class__(plain.environment, plain.release, plain.previous).to_json()
    keys = dict.fromkeys(read_route(backend.keyvalues, production).values, broken)
    assert key in keys
    backend.keyvalues.update(puts=keys, if_match=backend.keyvalues.etag())
    (found,) = find_drift(backend, production)
    assert found.code == "canary"
    assert found.command == f"manage.py promote --release {two[0]} --to production --yes"


@pytest.mark.parametrize("percent", [-1, 0, 100, 500])
def test_share_out_of_bounds(operator, two, percent):
    with pytest.raises(Refused) as refused:
        operator.canary(percent)
    assert refused.value.code == "canary-share"


def test_live_release_cannot_be_a_canary(operator, two):
    with pytest.raises(Refused) as refused:
        operator.canary(5, release=two[0])
    assert refused.value.code == "canary-is-live"


def test_first_release_cannot_be_a_canary(operator):
    operator.push("A")
    with pytest.raises(Refused) as refused:
        operator.canary(5)
    assert refused.value.code == "nothing-live"


def test_canary_is_not_replaced_by_another_release(operator, staging, production, two):
    operator.canary(5)
    operator.push("C")
    for ask in (
        lambda: operator.canary(25),
        lambda: promote_target(source=staging, to=production, actor="olga"),
    ):
        with pytest.raises(Refused) as refused:
            ask()
        assert refused.value.code == "other-canary"
        assert f"promote --release {two[1]}" in refused.value.hint
    operator.promote(two[1])
    assert production.canary is None


def test_environment_deployed_by_copy_has_no_canaries(operator, production, two):
    Environment.objects.filter(pk=production.pk).update(strategy=Strategy.COPY)
    with pytest.raises(Refused) as refused:
        operator.canary(5)
    assert refused.value.code == "no-function"


def test_rollback_by_name_ends_a_canary(operator, production, two):
    operator.promote()
    third = operator.push("C")
    operator.canary(5, release=third)
    target = rollback_target(environment=production, release=two[0], actor="olga")
    operator.deploy(target)
    assert production.live.release == two[0]
    assert production.canary is None
