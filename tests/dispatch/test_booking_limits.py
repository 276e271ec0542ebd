"""Limits on bookings by the form: exact, per address and phone, and in the way of no one else."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
import time_machine

from dispatch.booking import Booked, BookingRequest, book
from dispatch.limits import DAY, HOUR, LimitReached, forget_attempts, network_of
from dispatch.models import Counter, Customer, Job, RecentAttempt
from dispatch.tasks import forget

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 20, 20, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
ADDRESS = "203.0.113.7"
MARK = BookingRequest(
    name="Mark Ames",
    phone="(907) 555-0142",
    address_line="1423 Soderblom Avenue",
    town="Fairbanks",
    zip_code="99709",
    remote_address=ADDRESS,
)


@pytest.fixture(autouse=True)
def limits(settings):
    """Set small limits, all different."""
    settings.BOOKINGS_PER_ADDRESS_HOUR = 3
    settings.BOOKINGS_PER_ADDRESS_DAY = 5
    settings.BOOKINGS_PER_PHONE_DAY = 2
    return settings


@pytest.fixture
def clock():
    with time_machine.travel(NOW, tick=False) as clock:
        yield clock


def send(number=None, *, address=ADDRESS, key=None):
    """Book by the form, from a phone that ends with `number` (0 to 99) or from Mark's."""
    phone = MARK.phone if number is None else f"907-555-01{number:02}"
    request = replace(MARK, phone=phone, remote_address=address)
    return book(request=request, form_key=key or uuid4(), limited=True)


def refused(*args, **kwargs):
    with pytest.raises(LimitReached) as refusal:
        send(*args, **kwargs)
    return refusal.value


def test_address_has_a_limit_by_the_hour(clock):
    for number in range(3):
        send(number)
        clock.shift(MINUTE)
    assert refused(50).free_at == NOW + HOUR
    send(50, address="203.0.113.8")
    clock.move_to(NOW + HOUR)
    send(50)


def test_address_has_a_limit_by_the_day(clock):
    for number in range(5):
        send(number)
        clock.shift(HOUR)
    assert refused(50).free_at == NOW + DAY
    clock.move_to(NOW + DAY)
    send(50)


def test_phone_has_a_limit_from_all_addresses_together(clock):
    send(address="203.0.113.1")
    clock.shift(MINUTE)
    send(address="2001:db8::1")
    assert refused(address="203.0.113.3").free_at == NOW + DAY
    assert refused(address="").free_at == NOW + DAY
    send(50, address="203.0.113.3")


def test_longest_wait_counts(clock):
    for _ in range(2):
        send()
    send(50)
    assert refused().free_at == NOW + DAY  # the phone's, though the address is free in an hour


def test_addresses_of_one_ipv6_network_count_together():
    for number in range(3):
        send(number, address=f"2001:db8:0:1::{number + 1}")
    refused(50, address="2001:db8:0:1:ffff::9")
    send(50, address="2001:db8:0:2::1")


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::", "2001:db8:1:2::/64"),
    ],
)
def test_network_of_an_address(address, network):
    assert network_of(address) == network


def test_unknown_address_has_no_limit():
    for number in range(6):
        send(number, address="")


@pytest.mark.parametrize("name", ["ADDRESS_HOUR", "ADDRESS_DAY", "PHONE_DAY"])
def test_zero_is_no_limit(limits, name):
    for each in ("ADDRESS_HOUR", "ADDRESS_DAY", "PHONE_DAY"):
        setattr(limits, f"BOOKINGS_PER_{each}", 0 if each == name else 100)
    for _ in range(7):
        send()


def test_refused_booking_writes_nothing():
    for _ in range(2):
        send()
    rows = RecentAttempt.objects.count()
    error = refused()
    assert (error.code, Job.objects.count(), Counter.objects.get(name="job").value) == (
        "limit-reached", 2, 1002,
    )  # fmt: skip
    assert RecentAttempt.objects.count() == rows
    refused(address="203.0.113.99")
    assert Customer.objects.count() == 1


def test_refused_tries_do_not_prolong_the_wait(clock):
    for _ in range(2):
        send()
    for _ in range(5):
        clock.shift(HOUR)
        assert refused().free_at == NOW + DAY


def test_form_sent_again_returns_its_job_over_the_limit():
    key = uuid4()
    first = send(key=key)
    send()
    refused()
    assert send(key=key) == Booked(first.job, created=False)


def test_bookings_of_the_office_have_no_limit_and_do_not_count():
    for _ in range(6):
        book(request=MARK, form_key=uuid4(), actor="dana")
    assert not RecentAttempt.objects.exists()
    send()


def test_limit_is_exact_for_parallel_bookings(limits, together):
    limits.BOOKINGS_PER_ADDRESS_HOUR = 10
    limits.BOOKINGS_PER_ADDRESS_DAY = 10
    limits.BOOKINGS_PER_PHONE_DAY = 0
    results = together(send, times=30)
    assert sorted(type(result).__name__ for result in results) == (
        ["Booked"] * 10 + ["LimitReached"] * 20
    )
    assert Job.objects.count() == 10


def test_last_booking_allowed_sent_in_parallel_is_one_job(limits, together):
    limits.BOOKINGS_PER_PHONE_DAY = 1
    key = uuid4()
    results = together(lambda: send(key=key))
    assert sorted(result.created for result in results) == [False] * 5 + [True]
    assert len({result.job.pk for result in results}) == 1


def test_neither_address_nor_phone_is_stored():
    send()
    rows = str(list(RecentAttempt.objects.values()))
    assert len({row.source for row in RecentAttempt.objects.all()}) == 2
    for plain in (ADDRESS, "9075550142"):
        assert plain not in rows


def test_hashes_depend_on_the_secret_key(limits):
    for _ in range(2):
        send()
    limits.SECRET_KEY = "another key of this installation, as after a leak"
    send()


def test_counts_are_forgotten_after_a_day(clock):
    send()
    clock.shift(HOUR)
    send()
    clock.move_to(NOW + DAY + MINUTE)
    assert forget_attempts(NOW + DAY) == 0
    assert forget()["attempts"] == 2
    assert set(RecentAttempt.objects.values_list("at", flat=True)) == {NOW + HOUR}
