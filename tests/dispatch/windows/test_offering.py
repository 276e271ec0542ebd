"""What is offered: windows within the rules that have room, however many jobs there are."""

from datetime import UTC, datetime, timedelta

import pytest

from dispatch.models import BookingSettings, ServiceWindow, WindowTemplate
from dispatch.windows.offering import free_for_staff, free_windows
from tests.builders import make_service, make_window

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 20, 20, tzinfo=UTC)
HOUR = timedelta(hours=1)


def offered(load_size="quarter", **kwargs):
    service = make_service()
    return free_windows(service=service, load_size=load_size, now=NOW, **kwargs)


def test_windows_within_the_lead_time_are_not_offered():
    make_window(NOW + 12 * HOUR - timedelta(minutes=1))
    first = make_window(NOW + 12 * HOUR, units=15)
    assert offered() == [first]


def test_windows_beyond_the_horizon_are_not_offered():
    BookingSettings(pk=1, horizon_days=2).save()
    last = make_window(datetime(2026, 11, 23, 6, tzinfo=UTC))  # Sunday 23:00 in Denver
    make_window(datetime(2026, 11, 23, 7, tzinfo=UTC))
    assert offered() == [last]


def test_only_windows_with_room_for_the_load_are_offered():
    window = make_window(NOW + 24 * HOUR, taken=12)
    assert offered("half") == [window]
    assert offered("three_quarters") == []


def test_the_reserve_is_not_offered_to_customers_but_to_staff():
    window = make_window(NOW + 24 * HOUR, public_units=13, taken=12)
    assert offered("quarter") == []
    assert free_for_staff(units=2, now=NOW, count=2) == [window]


def test_count_limits_the_earliest():
    windows = [make_window(NOW + day * 24 * HOUR) for day in (3, 1, 2)]
    assert offered(count=2) == [windows[1], windows[2]]


def test_a_fresh_installation_offers_windows_at_once():
    assert offered(count=1)
    assert ServiceWindow.objects.exists()


def test_a_firm_without_templates_offers_none():
    WindowTemplate.objects.all().delete()
    assert offered() == []


def test_offering_takes_two_queries(django_assert_num_queries):
    service = make_service()
    make_window(NOW + 24 * HOUR)
    with django_assert_num_queries(2):
        free_windows(service=service, load_size="", now=NOW)
