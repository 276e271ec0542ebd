"""A kill or failure at any call leaves one whole release live, and a second run finishes.

The fault is injected at each call of the object store, the key-value store and the function host
in turn, until a run ends without meeting it.
"""

import itertools
from functools import partial

import pytest

from deployments.errors import DeploymentError, PartlyChanged
from deployments.models import DeployLock, Outcome
from edge.errors import BackendUnavailable, EdgeError
from tests.deployments.doubles import FaultPoint, Killed

MOST_CALLS = 200
LOST = [
    pytest.param(Killed, False, id="killed-before"),
    pytest.param(Killed, True, id="killed-after"),
    pytest.param(lambda: BackendUnavailable("reset"), False, id="failed"),
    pytest.param(lambda: BackendUnavailable("timeout"), True, id="done-but-answer-lost"),
]


def with_fault(replaced, backend, fault):
    return replaced(
        objects=fault.before(backend.objects),
        keyvalues=fault.before(backend.keyvalues),
        functions=fault.before(backend.functions),
    )


def attempt(work):
    """Run and return the error, if any."""
    try:
        work()
    except (DeploymentError, EdgeError, Killed) as error:
        return error
    return None


def walk_faults(operator, backend, replaced, make_error, after, work, check):
    """Run `work` with the fault at call 1, 2, 3, ... and `check` each; return their number."""
    for number in itertools.count(1):
        assert number < MOST_CALLS
        fault = FaultPoint(number, make_error(), after=after)
        operator.backend = with_fault(replaced, backend, fault)
        error = attempt(partial(work, number))
        operator.backend = backend
        if not fault.was_reached:
            return number - 1
        assert error is not None
        check(number, error)
    return None


@pytest.mark.parametrize(("make_error", "after"), LOST)
def test_promotion(operator, backend, replaced, production, make_error, after):
    releases = [operator.push("A"), operator.push("B")]
    operator.promote(releases[0])

    def work(number):
        operator.promote(releases[number % 2])

    def check(number, error):
        wanted, before = releases[number % 2], releases[1 - number % 2]
        served = {operator.served(path=p) for p in ("/", "/book/", "/track/x", "/dashboard/")}
        assert served in ({wanted.name}, {before.name})
        operator.promote(wanted)
        assert operator.served() == wanted.name
        assert production.live.release == wanted
        assert not production.deployments.unfinished().exists()
        assert not DeployLock.objects.exists()

    points = walk_faults(operator, backend, replaced, make_error, after, work, check)
    assert points > 10


@pytest.mark.parametrize(("make_error", "after"), LOST)
def test_push(operator, backend, replaced, staging, make_error, after):
    before = operator.push("first")

    def work(number):
        operator.push(f"new-{number}")

    def check(number, error):
        served = operator.served("staging.localhost")
        assert operator.served("staging.localhost", "/book/") == served
        nonlocal before
        release = operator.push(f"new-{number}")
        assert served in (before.name, release.name)
        assert operator.served("staging.localhost") == release.name
        assert staging.live.release == release
        before = release

    points = walk_faults(operator, backend, replaced, make_error, after, work, check)
    assert points > 20


def test_interrupted_deployment_gets_the_outcome_it_had(operator, backend, replaced, production):
    releases = [operator.push("A"), operator.push("B")]
    operator.promote(releases[0])
    seen = set()

    def work(number):
        operator.promote(releases[number % 2])

    def check(number, error):
        switched = operator.served() == releases[number % 2].name
        unfinished = production.deployments.unfinished().first()
        operator.promote(releases[number % 2])
        if unfinished:
            result = Outcome.objects.get(deployment=unfinished).result
            assert result == ("succeeded" if switched else "abandoned")
            seen.add(result)

    walk_faults(operator, backend, replaced, Killed, True, work, check)
    assert seen == {"succeeded", "abandoned"}


def test_store_failure_shows_the_command_that_finishes(operator, backend, replaced):
    operator.push("A")
    fault = FaultPoint(1, BackendUnavailable("503 SlowDown"))
    operator.backend = replaced(keyvalues=_failing_update(backend, fault))
    with pytest.raises(PartlyChanged) as failed:
        operator.promote()
    assert "manage.py promote --release" in failed.value.hint


def _failing_update(backend, fault):
    class Store:
        def __getattr__(self, name):
            return getattr(backend.keyvalues, name)

        def update(self, **kwargs):
            return fault.before(backend.keyvalues).update(**kwargs)

    return Store()
