"""Drift between a window's count and its jobs: found, logged, shown and corrected."""

import logging
from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from dispatch.models import ServiceWindow
from dispatch.tasks import make_windows, recount_windows
from dispatch.windows.recount import drift, repair
from qdn.readiness import PARTS
from tests.builders import make_job, make_window

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 20, 20, tzinfo=UTC)
READ = {part.name: part.read for part in PARTS}


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False):
        yield


def hold(window, units):
    times = {"window_start": window.start, "window_end": window.end}
    return make_job(window=window, window_units=units, **times)


@pytest.fixture
def wrong():
    """A window that says 3 are taken while two jobs hold 9."""
    window = make_window(NOW + timedelta(days=1), units=8, taken=3)
    for units in (4, 5):
        hold(window, units)
    return window


def test_right_counts_are_no_drift():
    hold(make_window(NOW + timedelta(days=1), taken=4), 4)
    make_window(NOW + timedelta(days=2))
    assert drift(NOW) == []


def test_drift_names_both_counts(wrong):
    assert [(one.window, one.taken, one.held) for one in drift(NOW)] == [(wrong, 3, 9)]


def test_a_window_that_nobody_holds_drifts_too():
    make_window(NOW + timedelta(days=1), taken=2)
    assert [one.held for one in drift(NOW)] == [0]


def test_the_nightly_recount_logs_windows_of_the_past_too(caplog):
    make_window(NOW - timedelta(days=3), taken=2)
    with caplog.at_level(logging.ERROR, logger="dispatch"):
        assert recount_windows() == 1
    assert "says 2 units are taken, but jobs hold 0" in caplog.text
    assert drift(NOW) == []


def test_readyz_counts_drift_and_stays_ready(wrong):
    reading = READ["windows"]()
    assert (reading.ok, reading.facts) == (False, {"wrong_counts": 1})
    assert not next(part for part in PARTS if part.name == "windows").is_needed()


def test_repair_counts_again_and_makes_room_for_what_is_promised(wrong):
    right = make_window(NOW + timedelta(days=2))
    assert repair([wrong.pk, right.pk]) == 1
    wrong.refresh_from_db()
    assert (wrong.taken, wrong.units, wrong.public_units) == (9, 9, 8)
    assert drift(NOW) == []


def test_the_daily_task_makes_windows():
    assert make_windows() > 0
    assert make_windows() == 0
    assert ServiceWindow.objects.exists()
