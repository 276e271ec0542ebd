from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from deployments.deploy.freezes import freeze, unfreeze
from deployments.deploy.targets import function_target
from deployments.errors import Refused
from deployments.models import Freeze
from edge.functions.shipped import function_source


@pytest.fixture
def frozen(operator, production):
    """Production serves A and is frozen; B waits in staging."""
    releases = [operator.push("A")]
    operator.promote()
    releases.append(operator.push("B"))
    freeze(environment=production, reason="stock-taking", actor="olga")
    return releases


def test_promotion_to_a_frozen_environment(operator, production, frozen):
    with pytest.raises(Refused) as refused:
        operator.promote()
    assert refused.value.code == "frozen"
    assert "stock-taking (olga, since" in refused.value.message
    assert "unfreeze --environment production" in refused.value.hint
    assert operator.served() == frozen[0].name
    assert production.deployments.count() == 1


def test_other_environments_are_not_frozen(operator, frozen):
    assert operator.push("C").name == operator.served("staging.localhost")


def test_unfreeze_allows_promotion(operator, production, frozen):
    (lifted,) = unfreeze(environment=production, actor="otto")
    assert lifted.reason == "stock-taking"
    operator.promote()
    assert operator.served() == frozen[1].name
    assert Freeze.objects.get().lifted_by == "otto"


def test_freeze_ends_on_its_own(operator, production, frozen, database_clock):
    freeze(
        environment=production,
        reason="the weekend",
        actor="olga",
        until=timezone.now() + timedelta(hours=2),
    )
    database_clock.shift(timedelta(hours=1))
    with pytest.raises(Refused):
        operator.promote()
    database_clock.shift(timedelta(hours=2))
    operator.promote()
    assert operator.served() == frozen[1].name


def test_freeze_is_in_force_for_a_machine_whose_clock_is_ahead(operator, production, frozen):
    until = timezone.now() + timedelta(hours=2)
    freeze(environment=production, reason="the weekend", actor="olga", until=until)
    with time_machine.travel(timezone.now() + timedelta(hours=3)), pytest.raises(Refused):
        operator.promote()


def test_live_release_may_be_deployed_again(operator, backend, frozen):
    store = backend.keyvalues
    store.update(puts={}, deletes=["host:localhost"], if_match=store.etag())
    operator.promote(frozen[0])
    assert operator.served() == frozen[0].name


def test_rollback_is_allowed_during_a_freeze(operator, production, frozen):
    unfreeze(environment=production, actor="olga")
    operator.promote()
    freeze(environment=production, reason="stock-taking", actor="olga")
    operator.rollback()
    assert operator.served() == frozen[0].name


def test_the_latest_freeze_counts(production):
    freeze(environment=production, reason="one", actor="olga")
    freeze(environment=production, reason="two", actor="otto")
    assert production.frozen.reason == "two"
    assert production.freezes.in_force().count() == 1


def test_function_is_frozen_too(operator, production, frozen, ship_function):
    ship_function(f"// other\n{function_source()}")
    with pytest.raises(Refused) as refused:
        operator.deploy(function_target(environment=production, actor="olga"))
    assert refused.value.code == "frozen"


@pytest.mark.parametrize("reason", ["", "  "])
def test_freeze_without_a_reason(production, reason):
    with pytest.raises(Refused) as refused:
        freeze(environment=production, reason=reason, actor="olga")
    assert refused.value.code == "no-reason"


def test_freeze_that_ends_in_the_past(production):
    past = timezone.now() - timedelta(minutes=1)
    with pytest.raises(Refused) as refused:
        freeze(environment=production, reason="late", actor="olga", until=past)
    assert refused.value.code == "until-over"


@pytest.fixture
def rolled_back(operator):
    """Production was rolled back from B to A."""
    releases = [operator.push("A")]
    operator.promote()
    releases.append(operator.push("B"))
    operator.promote()
    operator.rollback()
    return releases


def test_release_that_was_rolled_back_is_not_promoted_again(operator, rolled_back):
    with pytest.raises(Refused) as refused:
        operator.promote()
    assert refused.value.code == "release-frozen"
    assert f"rolled back from {rolled_back[1]}" in refused.value.message
    assert "Rolled back from" not in refused.value.message  # said once
    assert operator.served() == rolled_back[0].name


def test_release_whose_guard_is_lifted_is_promoted(operator, production, rolled_back):
    unfreeze(environment=production, release=rolled_back[1], actor="olga")
    operator.promote()
    assert operator.served() == rolled_back[1].name


def test_unfreeze_leaves_the_guard_of_a_rollback(operator, production, rolled_back):
    freeze(environment=production, reason="stock-taking", actor="olga")
    assert [one.reason for one in unfreeze(environment=production, actor="olga")] == [
        "stock-taking"
    ]
    with pytest.raises(Refused) as refused:
        operator.promote()
    assert refused.value.code == "release-frozen"
    command = f"manage.py unfreeze --environment production --release {rolled_back[1]}"
    assert refused.value.hint.endswith(command)


def test_lifting_a_guard_leaves_the_freeze(operator, production, rolled_back):
    freeze(environment=production, reason="stock-taking", actor="olga")
    (lifted,) = unfreeze(environment=production, release=rolled_back[1], actor="olga")
    assert lifted.release == rolled_back[1]
    with pytest.raises(Refused) as refused:
        operator.promote()
    assert refused.value.code == "frozen"


def test_newer_release_ends_the_freeze_of_a_rollback(operator, production, rolled_back):
    third = operator.push("C")
    operator.promote()
    assert operator.served() == third.name
    assert not production.freezes.in_force().exists()
    operator.promote(rolled_back[1])
    assert operator.served() == rolled_back[1].name


def test_newer_canary_does_not_end_the_freeze_of_a_rollback(operator, production, rolled_back):
    operator.push("C")
    operator.canary(5)
    assert production.freezes.in_force().get().release == rolled_back[1]


def test_rollback_may_return_to_a_release_that_was_rolled_back(operator, rolled_back):
    operator.rollback(rolled_back[1])
    assert operator.served() == rolled_back[1].name


def test_rollback_without_effect_freezes_nothing(operator, production, rolled_back):
    unfreeze(environment=production, release=rolled_back[1], actor="olga")
    operator.rollback(rolled_back[0])
    assert not production.freezes.in_force().exists()


def test_candidate_of_an_ended_canary_is_frozen(operator, production):
    operator.push("A")
    operator.promote()
    second = operator.push("B")
    operator.canary(5)
    operator.rollback()
    assert production.freezes.in_force().get().release == second
    with pytest.raises(Refused):
        operator.canary(5)


def test_rollback_by_name_freezes_the_live_release_and_the_canary(operator, production):
    first = operator.push("A")
    operator.promote()
    second = operator.push("B")
    operator.promote()
    third = operator.push("C")
    operator.canary(5)
    operator.rollback(first)
    frozen = {one.release for one in production.freezes.in_force()}
    assert frozen == {second, third}
    with pytest.raises(Refused) as refused:
        operator.promote(second)
    assert refused.value.code == "release-frozen"
