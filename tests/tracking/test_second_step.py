"""The form comes back with times and price until it can be booked, and keeps what was typed."""

import re
from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from dispatch.models import AreaInterest, Job, PriceRule, ServedZip, ServiceType, ServiceWindow
from dispatch.statuses import Status
from dispatch.windows.offering import free_windows
from tests.tracking.test_views import BOOK, key_in, typed

pytestmark = pytest.mark.django_db
AREA = "/book/request/area/"


@pytest.fixture(autouse=True)
def offer():
    """A price for half a truck, two windows, and instant booking."""
    typed()
    PriceRule.objects.all().delete()
    ServedZip.objects.all().delete()
    ServiceWindow.objects.all().delete()
    junk = ServiceType.objects.get(code="junk")
    ServiceType.objects.update(instant_booking=True)
    PriceRule.objects.create(service=junk, load_size="half", cents=34_000, valid_from="2026-01-01")
    start = timezone.now().replace(minute=0, second=0, microsecond=0) + timedelta(days=3)
    for hours in (0, 2, 4):
        at = start + timedelta(hours=hours)
        ServiceWindow.objects.create(start=at, end=at + timedelta(hours=2), units=8, public_units=4)


def windows():
    return list(ServiceWindow.objects.order_by("start"))


def sent(**changes):
    """Return what a page of today sends that has shown the price."""
    first = str(windows()[0].pk)
    page = {"load_size": "half", "price": "$340 all-in", "first_choice": first}
    return typed(**{**page, "second_choice": "", "third_choice": "", **changes})


def price_in(text):
    return re.search(r'name="price" value="([^"]*)"', text)[1]


def options_in(text, name):
    select = re.search(rf'<select name="{name}".*?</select>', text, re.DOTALL)[0]
    return re.findall(r'<option value="([^"]*)"', select)


def test_first_choice_is_booked_at_once_at_the_price_shown(client):
    assert client.post(BOOK, sent()).status_code == 303
    job = Job.objects.get()
    assert (job.status, job.window) == (Status.SCHEDULED, windows()[0])
    assert str(job.price) == "$340 all-in"


def test_complete_form_without_a_window_is_shown_the_windows(client):
    answer = client.post(BOOK, sent(first_choice="", details="a couch & a lamp"))
    text = answer.content.decode()
    assert answer.status_code == 200
    assert "Choose a time" in text
    keys = [str(window.pk) for window in windows()]
    assert options_in(text, "first_choice") == ["", *keys, "other"]
    assert options_in(text, "third_choice") == ["", *keys]
    assert "a couch &amp; a lamp" in text
    assert price_in(text) == "$340 all-in"
    assert not Job.objects.exists()


def test_what_the_static_page_has_is_enough_for_times_and_price(client):
    few = {"zip_code": "99709", "service": "junk", "load_size": "half", "name": "", "price": ""}
    answer = client.post(BOOK, {**few, "step": "times", "access_notes": "Gate 4711"})
    text = answer.content.decode()
    assert answer.status_code == 200
    assert "problems-title" not in text
    assert len(options_in(text, "first_choice")) == 5
    assert price_in(text) == "$340 all-in"
    assert "Gate 4711" in text
    assert key_in(answer)


def test_times_need_a_zip_code_and_a_service(client):
    answer = client.post(BOOK, {"step": "times", "zip_code": "9", "service": ""})
    text = answer.content.decode()
    assert answer.status_code == 422
    assert re.findall(r'<li><a href="#id_(\w+)"', text) == ["zip_code", "service"]


def test_none_of_the_times_books_a_request(client):
    assert client.post(BOOK, sent(first_choice="other")).status_code == 303
    job = Job.objects.get()
    assert (job.status, job.window) == (Status.REQUESTED, None)


def test_day_is_asked_and_booked_where_no_window_is_free(client):
    ServiceWindow.objects.update(taken=4)
    day = timezone.localdate() + timedelta(days=9)
    text = client.post(BOOK, sent(first_choice="", name="")).content.decode()
    assert re.search(r'id="times"[^>]*hidden', text)
    assert not re.search(r'id="days"[^>]*hidden', text)
    assert client.post(BOOK, sent(first_choice="", requested_day=str(day))).status_code == 303
    assert Job.objects.get().requested_day == day


@pytest.mark.parametrize("shown", ["", "$300 all-in", "free", "<script>", "$340 to $400"])
def test_other_price_than_todays_comes_back_with_todays(client, shown):
    answer = client.post(BOOK, sent(price=shown))
    text = answer.content.decode()
    assert answer.status_code in (200, 422)
    assert "The price is now $340 all-in" in text
    assert price_in(text) == "$340 all-in"
    assert not Job.objects.exists()
    again = sent(price=price_in(text), form_key=key_in(answer))
    assert client.post(BOOK, again).status_code == 303


def test_form_without_a_fixed_price_says_so_once(client):
    answer = client.post(BOOK, sent(load_size="full"))
    assert "we agree on one with you" in answer.content.decode()
    again = sent(load_size="full", first_choice="other", price="", form_key=key_in(answer))
    assert client.post(BOOK, again).status_code == 303


def test_full_window_comes_back_with_the_next_two(client):
    ServiceWindow.objects.filter(pk=windows()[0].pk).update(taken=4)
    answer = client.post(BOOK, sent(details="a couch"))
    text = answer.content.decode()
    assert answer.status_code == 422
    error = re.search(r'id="id_first_choice_error">([^<]*)', text)[1]
    assert error.startswith("That time is no longer free. The next free times: ")
    assert error.count("\N{EN DASH}") == 2
    assert options_in(text, "first_choice")[1:-1] == [str(one.pk) for one in windows()[1:]]
    assert "a couch" in text
    assert not Job.objects.exists()


def test_second_choice_is_taken_if_the_first_is_full(client):
    first, second, _ = windows()
    ServiceWindow.objects.filter(pk=first.pk).update(taken=4)
    assert client.post(BOOK, sent(second_choice=str(second.pk))).status_code == 303
    assert Job.objects.get().window == second


def test_same_form_again_is_the_same_job_though_its_window_is_full_and_the_price_higher(client):
    form = sent()
    first = client.post(BOOK, form)
    assert windows()[0].taken == 4
    PriceRule.objects.update(cents=50_000)
    second = client.post(BOOK, {**form, "price": "$340 all-in"})
    assert (second.status_code, second.get("Location")) == (303, first["Location"])
    assert Job.objects.count() == 1


@pytest.mark.parametrize(
    "key", ["x", "-1", "1e9", "9" * 400, "1.5", "\x00", "' or 1=1--", "\u0663"]
)
def test_window_that_is_none_is_refused_at_its_field(client, key):
    answer = client.post(BOOK, sent(first_choice=key))
    assert answer.status_code == 422
    assert 'id="id_first_choice_error"' in answer.content.decode()
    assert not Job.objects.exists()


@pytest.mark.parametrize("key", ["past", "999999999"])
def test_past_and_unknown_windows_are_refused(client, key):
    if key == "past":
        at = timezone.now() - timedelta(days=1)
        row = ServiceWindow.objects.create(
            start=at, end=at + timedelta(hours=2), units=8, public_units=8
        )
        key = str(row.pk)
    answer = client.post(BOOK, sent(first_choice=key))
    assert answer.status_code == 422
    assert "no longer free" in answer.content.decode()


def test_load_is_not_asked_of_dumpsters_nor_days_of_hauls(client):
    dumpster = ServiceType.objects.filter(kind="dumpster").first()
    form = sent(load_size="half", rental_days="14", first_choice="other", price="")
    assert client.post(BOOK, {**form, "service": dumpster.code}).status_code == 303
    job = Job.objects.get()
    assert (job.load_size, job.rental_days) == ("", 14)
    assert client.post(BOOK, sent(rental_days="many", phone="907-555-0143")).status_code == 303
    assert Job.objects.order_by("pk").last().rental_days is None


@pytest.mark.parametrize("days", ["0", "91", "-3", "seven", "1e3"])
def test_days_of_rental_are_refused_at_their_field(client, days):
    dumpster = ServiceType.objects.filter(kind="dumpster").first()
    answer = client.post(BOOK, sent(service=dumpster.code, rental_days=days, price=""))
    assert answer.status_code == 422
    assert 'href="#id_rental_days"' in answer.content.decode()


def test_errors_are_listed_in_the_order_of_the_page(client):
    answer = client.post(
        BOOK, sent(zip_code="", phone="12", email="x", town="", name="", first_choice="x")
    )
    text = answer.content.decode()
    listed = re.findall(r'<li><a href="#(id_\w+)"', text)
    shown = [name for name in re.findall(r'id="(id_\w+)"', text) if name in listed]
    assert len(listed) == 6
    assert listed == list(dict.fromkeys(shown))


@pytest.mark.parametrize(
    "changes", [{"phone": "12"}, {"first_choice": ""}, {"price": ""}, {"form_key": ""}]
)
def test_answers_with_the_form_leave_the_back_button_working(client, changes):
    answer = client.post(BOOK, sent(**changes))
    assert answer["Cache-Control"] == "private, no-cache"


def test_very_long_texts_are_refused_at_their_fields(client):
    long = {"name": "x" * 10_000, "address_line": "y" * 10_000, "price": "$" + "9" * 10_000}
    answer = client.post(BOOK, sent(**long))
    assert answer.status_code == 422
    assert "x" * 10_000 in answer.content.decode()


# Outside the service area


@pytest.fixture
def served():
    ServedZip.objects.create(zip_code="99709")


@pytest.mark.usefixtures("served")
def test_outside_the_area_the_form_says_so_and_asks_nothing_else(client):
    answer = client.post(BOOK, sent(zip_code="90210", details="a couch"))
    text = answer.content.decode()
    assert answer.status_code == 422
    assert 'class="booking is-outside"' in text
    assert not re.search(r'id="outside"[^>]*hidden', text)
    assert 'name="area-zip_code" value="90210"' in text
    assert "a couch" in text
    assert not Job.objects.exists()


def test_interest_is_noted_once_and_confirmed(client):
    form = {"area-zip_code": "90210", "area-email": "Ann@example.com"}
    answers = [client.post(AREA, form) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert "We\u2019ll email you" in answers[0].content.decode()
    (row,) = AreaInterest.objects.values_list("zip_code", "email")
    assert row == ("90210", "ann@example.com")


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ({"area-zip_code": "90210", "area-email": "x"}, 422),
        ({"area-zip_code": "9", "area-email": "a@example.com"}, 422),
        ({}, 422),
        ({"area-zip_code": "90210", "area-email": "a@example.com", "area-website": "x"}, 200),
    ],
)
def test_interest_is_not_noted(client, form, status):
    assert client.post(AREA, form).status_code == status
    assert not AreaInterest.objects.exists()


def test_interest_is_limited_by_address(client, settings):
    settings.BOOKINGS_PER_ADDRESS_DAY = 2
    forms = [{"area-zip_code": "90210", "area-email": f"a{number}@x.org"} for number in range(3)]
    last = [client.post(AREA, form) for form in forms][-1]
    assert last.status_code == 429
    assert "Call us instead." in last.content.decode()
    assert 'value="a2@x.org"' in last.content.decode()
    assert AreaInterest.objects.count() == 2


def test_interest_from_another_site_is_refused(client):
    form = {"area-zip_code": "90210", "area-email": "a@example.com"}
    answer = client.post(AREA, form, headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403
    assert not AreaInterest.objects.exists()


def test_offered_windows_are_those_that_customers_can_take(client):
    junk = ServiceType.objects.get(code="junk")
    free = free_windows(service=junk, load_size="half", now=timezone.now())
    text = client.post(BOOK, sent(first_choice="", form_key=str(uuid4()))).content.decode()
    assert options_in(text, "second_choice")[1:] == [str(window.pk) for window in free]
