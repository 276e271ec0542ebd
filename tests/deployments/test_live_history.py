"""What was live when, and which release is the previous one."""

import json
from datetime import UTC, datetime
from io import StringIO

import pytest
from django.core.management import call_command

from deployments.errors import Refused
from deployments.live_history import live_at, live_since, replaced_release
from deployments.retention.needs import serving


def at(hour, minute=0):
    return datetime(2026, 11, 20, hour, minute, tzinfo=UTC)


@pytest.fixture
def stop_clocks(time_machine, database_clock):
    """Return a function that stops the clocks of the database and of the edge."""

    def stop(moment):
        time_machine.move_to(moment, tick=False)
        database_clock.stop(moment)

    return stop


@pytest.fixture
def day(operator, stop_clocks):
    """A is promoted at 9:00 and B at 12:00; production is rolled back to A at 15:00."""
    releases = []
    for mark, hour in (("A", 9), ("B", 12)):
        stop_clocks(at(hour))
        releases.append(operator.push(mark))
        operator.promote()
    stop_clocks(at(15))
    operator.rollback()
    stop_clocks(at(18))
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


def test_failed_deployments_were_never_live(day, operator, production, backend):
    other = operator.release("C")
    backend.objects.delete([other.key("manifest.json")])
    with pytest.raises(Refused):
        operator.promote(other)
    assert live_at(production, at(18)).release == day[0]


def test_canary_leaves_what_was_live(day, operator, production, stop_clocks):
    stop_clocks(at(20))
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


# The previous release


@pytest.fixture
def promoted(operator):
    """Return a function that pushes and promotes a release per mark, one after the other."""

    def promote(marks):
        releases = []
        for mark in marks:
            releases.append(operator.push(mark))
            operator.promote()
        return releases

    return promote


def previous_everywhere(desk):
    """Return the previous release of production by `status`, `verify` and the admin's page."""
    found = []
    for command in ("status", "verify"):
        out = StringIO()
        call_command(command, json=True, stdout=out)
        rows = {row["environment"]: row for row in json.loads(out.getvalue())}
        found.append(rows["production"]["previous"])
    target = desk.client.get(desk.address("change")).context["now"].rollback_target
    return [*found, target.name if target else None]


def test_nothing_is_previous_after_a_rollback_to_the_first(promoted, operator, desk):
    first, _ = promoted("AB")
    assert previous_everywhere(desk) == [first.name] * 3
    operator.rollback()
    assert previous_everywhere(desk) == [None] * 3


def test_second_rollback_to_nothing_is_refused(promoted, operator, production):
    first, _ = promoted("AB")
    operator.rollback()
    with pytest.raises(Refused) as refused:
        operator.rollback()
    assert refused.value.code == "nothing-before"
    assert refused.value.message == "There is nothing earlier in production to roll back to."
    assert production.live.release == first


def test_rollback_goes_one_release_back(promoted, operator, production, desk):
    first, second, _ = promoted("ABC")
    operator.rollback()
    assert production.live.release == second
    assert previous_everywhere(desk) == [first.name] * 3


def test_rollback_replaced_the_release_it_left(promoted, operator, production):
    first, second = promoted("AB")
    operator.rollback()
    assert replaced_release(production, first) == second
    assert production.live.replaced == second


def test_retention_keeps_the_release_a_rollback_left(promoted, operator, backend):
    _, second = promoted("AB")
    for mark in "CD":  # so that staging does not need B either
        operator.push(mark)
    operator.rollback()
    assert serving(backend)[second.name] == "previous in production"
