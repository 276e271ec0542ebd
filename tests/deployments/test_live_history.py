"""What was live when."""

from datetime import UTC, datetime

import pytest

from deployments.errors import Refused
from deployments.live_history import live_at, live_since


def at(hour, minute=0):
    return datetime(2026, 11, 20, hour, minute, tzinfo=UTC)


@pytest.fixture
def day(operator, time_machine):
    """Push and promote A at 9:00 and B at 12:00; roll back to A at 15:00."""
    releases = []
    for mark, hour in (("A", 9), ("B", 12)):
        time_machine.move_to(at(hour), tick=False)
        releases.append(operator.push(mark))
        operator.promote()
    time_machine.move_to(at(15), tick=False)
    operator.rollback()
    time_machine.move_to(at(18), tick=False)
    return releases


@pytest.mark.parametrize(
    ("moment", "which"), [(at(9), 0), (at(11, 59), 0), (at(12), 1), (at(14), 1), (at(17), 0)]
)
def test_live_at_a_moment(day, production, moment, which):
    found = live_at(production, moment)
    assert found.release == day[which]
    assert found.function == production.live.function


def test_live_since_a_moment(day, production):
    first, second = day
    assert [d.release for d in live_since(production, at(10))] == [first, second, first]
    assert [d.release for d in live_since(production, at(13))] == [second, first]
    assert [d.release for d in live_since(production, at(16))] == [first]
    assert [d.release for d in live_since(production, at(1))] == [first, second, first]


def test_failed_deployments_were_never_live(day, operator, production, time_machine, backend):
    other = operator.release("C")
    backend.objects.delete([other.key("manifest.json")])
    with pytest.raises(Refused):
        operator.promote(other)
    assert live_at(production, at(18)).release == day[0]


def test_canary_leaves_what_was_live(day, operator, production, time_machine):
    time_machine.move_to(at(20), tick=False)
    operator.canary(5, operator.push("C"))
    assert live_at(production, at(20)).release == day[0]


@pytest.mark.parametrize(
    ("moment", "code"), [(at(8), "nothing-live-then"), (at(19), "moment-to-come")]
)
def test_moments_without_an_answer_are_refused(day, production, moment, code):
    with pytest.raises(Refused) as refused:
        live_at(production, moment)
    assert refused.value.code == code
    assert "manage.py history --environment production" in refused.value.hint
