"""Windows from templates and exceptions: idempotent, in the firm's zone, never below what is taken.

These tests run in Denver, whose clocks change on 8 March and 1 November 2026.
"""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from django.utils import timezone

from dispatch.models import BookingSettings, ServiceWindow, WindowException, WindowTemplate
from dispatch.windows.generate import generate_windows, public_part

pytestmark = pytest.mark.django_db
# Friday 20 November 2026, 13:00 in Denver.
NOW = datetime(2026, 11, 20, 20, tzinfo=UTC)
SATURDAY, SUNDAY, MONDAY = 5, 6, 0


@pytest.fixture(autouse=True)
def one_template():
    """Replace the seeded week by Mondays 8 to 10, for 10 days."""
    WindowTemplate.objects.all().delete()
    WindowTemplate.objects.create(weekday=MONDAY, start=time(8), end=time(10), units=16)
    BookingSettings(pk=1, horizon_days=10).save()


def rows():
    """Return day, start, end (local), units and public units of each window."""
    return [
        (
            f"{timezone.localtime(one.start):%m-%d %H:%M}",
            f"{timezone.localtime(one.end):%H:%M}",
            one.units,
            one.public_units,
        )
        for one in ServiceWindow.objects.all()
    ]


def except_on(day, units, hours=None):
    start, end = hours or (None, None)
    return WindowException.objects.create(
        day=day, start=start, end=end, units=units, reason="because"
    )


def test_a_template_makes_one_window_a_week_up_to_the_horizon():
    assert generate_windows(NOW) == 2
    assert rows() == [("11-23 08:00", "10:00", 16, 13), ("11-30 08:00", "10:00", 16, 13)]


def test_repeating_changes_nothing():
    generate_windows(NOW)
    before = list(ServiceWindow.objects.values_list())
    assert generate_windows(NOW) == 0
    assert list(ServiceWindow.objects.values_list()) == before


def test_the_next_day_adds_the_next_window_only():
    generate_windows(NOW)
    assert generate_windows(NOW + timedelta(days=7)) == 1
    assert [row[0] for row in rows()] == ["11-23 08:00", "11-30 08:00", "12-07 08:00"]


@pytest.mark.parametrize(
    ("units", "percent", "public"),
    [(16, 15, 13), (16, 0, 16), (16, 100, 0), (1, 15, 0), (20, 15, 17), (0, 15, 0), (8, 50, 4)],
)
def test_the_reserve_is_rounded_up(units, percent, public):
    assert public_part(units, percent) == public


def test_windows_of_today_that_are_over_are_not_made():
    WindowTemplate.objects.update(weekday=4)
    generate_windows(NOW)
    assert [row[0] for row in rows()] == ["11-27 08:00"]


def test_a_whole_day_is_closed():
    generate_windows(NOW)
    except_on(date(2026, 11, 23), 0)
    assert generate_windows(NOW) == 1
    assert rows() == [("11-23 08:00", "10:00", 0, 0), ("11-30 08:00", "10:00", 16, 13)]


def test_what_is_said_of_a_window_counts_more_than_what_is_said_of_its_day():
    except_on(date(2026, 11, 23), 0)
    except_on(date(2026, 11, 23), 8, (time(8), time(10)))
    generate_windows(NOW)
    assert rows()[0] == ("11-23 08:00", "10:00", 8, 6)


def test_an_exception_adds_a_window():
    except_on(date(2026, 11, 22), 8, (time(18), time(20)))
    generate_windows(NOW)
    assert rows()[0] == ("11-22 18:00", "20:00", 8, 6)


def test_a_removed_exception_brings_the_template_back():
    exception = except_on(date(2026, 11, 23), 0)
    generate_windows(NOW)
    exception.delete()
    generate_windows(NOW)
    assert rows()[0] == ("11-23 08:00", "10:00", 16, 13)


def test_a_closed_window_keeps_what_is_taken_and_customers_get_no_more():
    generate_windows(NOW)
    first = ServiceWindow.objects.order_by("start")[:1]
    ServiceWindow.objects.filter(pk__in=[one.pk for one in first]).update(taken=5)
    except_on(date(2026, 11, 23), 0)
    generate_windows(NOW)
    closed = ServiceWindow.objects.earliest("start")
    assert (closed.units, closed.public_units, closed.taken) == (5, 0, 5)


def test_a_shrunk_window_keeps_what_is_taken_and_customers_get_no_more():
    generate_windows(NOW)
    ServiceWindow.objects.update(taken=12)
    WindowTemplate.objects.update(units=8)
    generate_windows(NOW)
    for window in ServiceWindow.objects.all():
        assert (window.units, window.public_units, window.taken) == (12, 6, 12)


def test_what_is_released_later_is_not_given_out_again():
    generate_windows(NOW)
    ServiceWindow.objects.update(taken=12)
    WindowTemplate.objects.update(units=8)
    generate_windows(NOW)
    ServiceWindow.objects.update(taken=2)
    generate_windows(NOW)
    assert set(ServiceWindow.objects.values_list("units", "public_units")) == {(8, 6)}


def test_windows_of_a_removed_template_are_closed_not_deleted():
    generate_windows(NOW)
    WindowTemplate.objects.all().delete()
    assert generate_windows(NOW) == 2
    assert {row[2:] for row in rows()} == {(0, 0)}


def test_a_window_in_the_past_stays_as_it_was():
    generate_windows(NOW)
    WindowTemplate.objects.all().delete()
    generate_windows(NOW + timedelta(days=5))
    assert [row[2] for row in rows()] == [16, 0]


def test_a_new_reserve_changes_what_customers_get():
    generate_windows(NOW)
    BookingSettings.objects.update(reserve_percent=50)
    assert generate_windows(NOW) == 2
    assert {row[2:] for row in rows()} == {(16, 8)}


@pytest.mark.parametrize(
    ("now", "day", "length"),
    [
        (datetime(2026, 3, 6, 20, tzinfo=UTC), "03-08", 23),
        (datetime(2026, 10, 30, 20, tzinfo=UTC), "11-01", 25),
    ],
)
def test_days_of_23_and_25_hours_keep_the_firm_s_times(now, day, length):
    """A window over the change of clocks has an hour less, or more; one after it has its times."""
    WindowTemplate.objects.all().delete()
    for hours in ((time(0), time(9)), (time(13), time(15))):
        WindowTemplate.objects.create(weekday=SUNDAY, start=hours[0], end=hours[1])
    BookingSettings.objects.update(horizon_days=3)
    generate_windows(now)
    assert [row[:2] for row in rows()] == [(f"{day} 00:00", "09:00"), (f"{day} 13:00", "15:00")]
    lengths = [one.end - one.start for one in ServiceWindow.objects.all()]
    assert lengths == [timedelta(hours=9 + length - 24), timedelta(hours=2)]
    assert generate_windows(now) == 0


def test_a_time_that_the_clock_skips_is_an_hour_later():
    WindowTemplate.objects.update(weekday=SUNDAY, start=time(2, 30), end=time(5))
    generate_windows(datetime(2026, 3, 6, 20, tzinfo=UTC))
    assert rows()[0][:2] == ("03-08 03:30", "05:00")


def test_a_window_within_the_skipped_hour_is_left_out_that_day():
    WindowTemplate.objects.update(weekday=SUNDAY, start=time(2, 30), end=time(3))
    generate_windows(datetime(2026, 3, 6, 20, tzinfo=UTC))
    assert [row[0] for row in rows()] == ["03-15 02:30"]


def test_a_time_that_comes_twice_is_the_first():
    WindowTemplate.objects.update(weekday=SUNDAY, start=time(1), end=time(1, 30))
    generate_windows(datetime(2026, 10, 30, 20, tzinfo=UTC))
    first = ServiceWindow.objects.earliest("start")
    assert first.start == datetime(2026, 11, 1, 7, tzinfo=UTC)
    assert first.end - first.start == timedelta(minutes=30)
    assert generate_windows(datetime(2026, 10, 30, 20, tzinfo=UTC)) == 0
