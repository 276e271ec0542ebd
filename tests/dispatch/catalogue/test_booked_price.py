"""A booking records the price of the list, or is refused if the customer saw another."""

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from dispatch.booking import PRICE_LIST, BookingRequest, book, create_job
from dispatch.catalogue.pricing import PriceChanged, from_prices, quote
from dispatch.models import Job, LoadSize, Price, PriceKind, PriceRule, RecentAttempt, ServiceType
from dispatch.prices import ParsedPrice, parse_price
from dispatch.signals import job_changed
from tracking.surfaces import home_context

pytestmark = pytest.mark.django_db

HALF = BookingRequest(
    name="Mark Ames",
    phone="(907) 555-0142",
    address_line="1423 Soderblom Avenue",
    town="Fairbanks",
    zip_code="99709",
    load_size=LoadSize.HALF,
)
LISTED = parse_price("340 all-in")


def booked(**changes):
    return book(request=replace(HALF, **changes), form_key=uuid4()).job


def raise_price(cents):
    PriceRule.objects.create(
        service=ServiceType.objects.get(code="junk"),
        load_size=LoadSize.HALF,
        cents=cents,
        valid_from=timezone.localdate(),
    )


@pytest.mark.parametrize("shown", [None, LISTED])
def test_price_of_the_list_is_recorded_with_the_booking(shown):
    job = booked(price=shown)
    price, event = job.prices.get(), job.events.get()
    assert (str(price), price.actor) == ("$340 all-in", PRICE_LIST)
    assert event.changes == {"price": ["", "$340 all-in"]}
    assert (event.revision, job.revision) == (1, 1)


def test_receivers_of_the_signal_see_the_price():
    seen = []

    def look(sender, job_id, **kwargs):
        seen.append(str(Job.objects.get(pk=job_id).price))

    job_changed.connect(look)
    try:
        booked()
    finally:
        job_changed.disconnect(look)
    assert seen == ["$340 all-in"]


def test_surcharge_and_days_are_part_of_the_price():
    assert str(booked(zip_code="99714").price) == "$385 all-in"
    job = booked(service="dumpster-10", load_size="", rental_days=9)
    assert str(job.price) == "$420 all-in"


def test_other_price_than_shown_is_refused_and_nothing_is_written():
    raise_price(36_000)
    with pytest.raises(PriceChanged) as refusal:
        book(request=replace(HALF, price=LISTED), form_key=uuid4(), limited=True)
    assert (refusal.value.code, refusal.value.price) == ("price-changed", parse_price("360"))
    assert "$340 all-in" in str(refusal.value)
    assert "$360 all-in" in str(refusal.value)
    assert not Job.objects.exists()
    assert not Price.objects.exists()
    assert not RecentAttempt.objects.exists()
    assert str(booked(price=refusal.value.price).price) == "$360 all-in"


def test_estimate_is_another_price_than_the_same_amount_all_in():
    with pytest.raises(PriceChanged):
        booked(price=ParsedPrice(PriceKind.ESTIMATE, 34_000))


def test_shown_price_that_is_gone_is_refused():
    PriceRule.objects.all().delete()
    with pytest.raises(PriceChanged, match="to be agreed") as refusal:
        booked(price=LISTED)
    assert refusal.value.price is None


def test_service_without_a_price_is_booked_without_one():
    PriceRule.objects.all().delete()
    job = booked()
    assert job.price is None
    assert job.events.get().changes == {}


def test_form_sent_again_after_a_change_of_price_returns_the_job():
    key = uuid4()
    first = book(request=replace(HALF, price=LISTED), form_key=key)
    raise_price(36_000)
    again = book(request=replace(HALF, price=LISTED), form_key=key)
    assert (again.job, again.created) == (first.job, False)
    assert str(again.job.price) == "$340 all-in"


def test_price_that_staff_agreed_replaces_that_of_the_list():
    job = book(
        request=replace(HALF, agreed_price=parse_price("300")), form_key=uuid4(), actor="dana"
    ).job
    price = job.prices.get()
    assert (str(price), price.actor) == ("$300 all-in", "dana")


def test_job_from_the_shell_gets_only_the_price_that_is_typed():
    address = "1423 Soderblom Avenue, Fairbanks, 99709"
    job = create_job(name="Mark Ames", phone=HALF.phone, address=address, actor="shell")
    assert job.price is None


def test_home_page_booking_and_job_page_agree(desk):
    """One pricing function: a rule changes all of them."""
    raise_price(35_550)
    day = timezone.localdate()
    job = booked()
    page = desk.get(f"/admin/dispatch/job/{job.pk}/change/").content.decode()
    assert str(quote(service=job.service, load_size=job.load_size, day=day)) == str(job.price)
    assert from_prices(day)["half"].lowest == home_context()["prices"]["half"].lowest == "$355.50"
    assert "Price list" in page
    assert page.count("$355.50 all-in") >= 3  # the list, the price, the timeline


def test_job_page_shows_the_list_price_of_the_job_as_it_is_now(desk):
    job = booked()
    raise_price(36_000 + 1)
    page = desk.get(f"/admin/dispatch/job/{job.pk}/change/").content.decode()
    assert "$360.01 all-in" in page


def test_prices_of_tomorrow_are_not_today_s():
    tomorrow = timezone.localdate() + timedelta(days=1)
    PriceRule.objects.update(valid_from=tomorrow)
    assert booked().price is None
    assert home_context()["prices"] == {}
