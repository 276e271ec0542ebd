"""Booking by phone: the look-up of customers, the offer, and the form without JavaScript."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from dispatch.models import Job, PriceRule, ServedZip, ServiceWindow
from dispatch.phone_lookup import MOST_ADDRESSES, MOST_CUSTOMERS, known_customers
from dispatch.probes import make_probe
from dispatch.statuses import Status
from tests.builders import make_crew, make_customer, make_job, make_price, make_service, make_window

pytestmark = pytest.mark.django_db
ADD = "/admin/dispatch/job/add/"
NOW = datetime(2026, 11, 20, 20, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def mark():
    return make_customer(phone="+19075550142", name="Mark Ames", email="mark@example.com")


@pytest.fixture
def clock():
    with time_machine.travel(NOW, tick=False):
        yield


def known(desk, phone):
    return desk.post(f"{ADD}known/", {"phone": phone}).json()["customers"]


def offered(desk, **query):
    return desk.get(f"{ADD}offer/", query).json()


def names(text):
    return [one.customer.name for one in known_customers(text)]


@pytest.mark.parametrize(
    "typed",
    ["9075550142", "(907) 555-0142", "+1 907 555 0142", "1-907-555-0142", "907-555-0", "907555014"],
)
def test_phone_finds_its_customer(mark, typed):
    make_customer(phone="+19075560142", name="Zoe")
    make_customer(phone="+12125550142", name="Ann")
    assert names(typed) == ["Mark Ames"]


def test_seven_digits_are_of_the_firms_area_code_too(mark):
    make_customer(phone="+15550142000", name="Zoe")
    assert names("555-0142") == ["Zoe", "Mark Ames"]
    assert names("555-0143") == []


@pytest.mark.parametrize(
    "typed", ["", "907-555", "555-0142 x", "Mark", "907-555-0143", "90755501421", "9" * 400, "\x00"]
)
def test_other_texts_find_no_customer(mark, typed):
    assert names(typed) == []


def test_prefix_finds_several_customers_up_to_a_limit():
    for number in range(MOST_CUSTOMERS + 2):
        make_customer(phone=f"+190755501{number:02}")
    assert len(known_customers("9075550")) == MOST_CUSTOMERS


def test_probe_is_not_found():
    probe = make_probe()
    assert known_customers(str(probe.customer.phone)) == []


def test_customer_without_a_phone_is_not_found():
    make_customer(phone=None)
    assert known_customers("9075550") == []


def test_latest_addresses_come_first_and_once(mark):
    make_job(customer=mark, address_line="1 Elm Street")
    make_job(customer=mark, address_line="2 Oak Street")
    make_job(customer=mark, address_line="1 ELM STREET")
    (found,) = known_customers("9075550142")
    assert [job.address_line for job in found.latest] == ["1 ELM STREET", "2 Oak Street"]
    for number in range(MOST_ADDRESSES + 2):
        make_job(customer=mark, address_line=f"{number} Birch Lane")
    assert len(known_customers("9075550142")[0].latest) == MOST_ADDRESSES


def test_lookup_takes_a_query_for_each_customer_and_one_more(mark, django_assert_num_queries):
    for _ in range(30):
        make_job(customer=mark)
    with django_assert_num_queries(2):
        known_customers("9075550142")


def test_lookup_goes_by_an_index(mark):
    with CaptureQueriesContext(connection) as queries:
        known_customers("9075550")
    plan = "EXPLAIN QUERY PLAN " if connection.vendor == "sqlite" else "EXPLAIN "
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL enable_seqscan = off")  # the table is small
        cursor.execute(plan + queries[0]["sql"])
        found = str(cursor.fetchall())
    assert "phone" in found
    assert "SCAN dispatch_customer" not in found


def test_known_gives_what_one_key_fills_in(desk, mark):
    make_job(customer=mark, load_size="half", unit="4", rental_days=None)
    (customer,) = known(desk, "907-555-0142")
    assert customer["label"] == "Mark Ames, (907) 555-0142"
    (place,) = customer["places"]
    assert place["label"] == "1423 Soderblom Avenue, 4, Fairbanks, 99709 (Junk removal)"
    service = make_service()
    assert place["fields"] == {
        "phone": "(907) 555-0142",
        "contact_name": "Mark Ames",
        "contact_email": "mark@example.com",
        "address_line": "1423 Soderblom Avenue",
        "unit": "4",
        "town": "Fairbanks",
        "zip_code": "99709",
        "service": str(service.pk),
        "load_size": "half",
        "rental_days": "",
        "language": "en",
    }


def test_known_leaves_out_a_service_that_is_no_longer_offered(desk, mark):
    make_job(customer=mark, service=make_service("old", active=False))
    assert "service" not in known(desk, "907-555-0142")[0]["places"][0]["fields"]


def test_known_holds_no_access_notes(desk, mark):
    make_job(customer=mark, access_notes="gate 1234", details="behind the barn")
    response = desk.post(f"{ADD}known/", {"phone": "9075550142"})
    assert "1234" not in response.content.decode()
    assert "barn" not in response.content.decode()
    assert "no-store" in response["Cache-Control"]


def test_phones_are_not_taken_from_an_address(desk, mark):
    assert desk.get(f"{ADD}known/", {"phone": "9075550142"}).status_code == 405


@pytest.mark.parametrize("codename", ["view_job", "change_job", ""])
def test_documents_need_the_permission_to_book(client, mark, codename):
    user = User.objects.create_user("guest", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename=codename))
    client.force_login(user)
    assert client.post(f"{ADD}known/", {"phone": "9075550142"}).status_code == 403
    assert client.get(f"{ADD}offer/").status_code == 403


def test_offer_has_price_and_windows_with_the_reserve(desk, clock):
    service = make_service()
    PriceRule.objects.filter(service=service).delete()
    rule = {"service": service, "valid_from": "2026-01-01"}
    PriceRule.objects.create(load_size="half", cents=39_000, **rule)
    reserve = make_window(NOW + HOUR, units=8, public_units=0)
    make_window(NOW + 24 * HOUR, units=2)
    document = offered(desk, service=service.pk, load="half")
    assert document["price"] == "$390 all-in"
    assert document["windows"] == [
        {"id": reserve.pk, "label": "Fri Nov 20, 2 p.m. to 4 p.m. (8 left)"}
    ]


def test_offer_adds_the_surcharge_and_warns_outside_the_area(desk, clock):
    service = make_service()
    PriceRule.objects.filter(service=service).delete()
    PriceRule.objects.create(service=service, load_size="", cents=10_000, valid_from="2026-01-01")
    ServedZip.objects.all().delete()
    ServedZip.objects.create(zip_code="99705", town="North Pole", surcharge_cents=2_500)
    inside = offered(desk, service=service.pk, zip="99705")
    outside = offered(desk, service=service.pk, zip="99999-1234")
    assert (inside["price"], inside["note"]) == ("$125 all-in", "")
    assert outside["note"] == "99999-1234 is outside the service area."
    assert offered(desk, service=service.pk, zip="99")["note"] == ""


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"service": "x", "load": "huge", "days": "many", "zip": "x"},
        {"service": "9" * 30, "days": "9" * 30},
        {"service": "²", "days": "³"},
    ],
)
def test_offer_of_what_cannot_be_read_is_that_of_nothing(desk, query):
    document = offered(desk, **query)
    assert (document["price"], document["note"]) == ("to be agreed", "")


def form_of(desk, **typed):
    form = desk.get(ADD).context["adminform"].form
    values = {"language": "en", "service": form["service"].value(), "key": form["key"].value()}
    return values | typed


def shown(response):
    return response.context["adminform"].form


def test_button_fills_in_the_customer_and_books_nothing(desk, mark):
    make_job(customer=mark, load_size="half")
    response = desk.post(ADD, form_of(desk, phone="907-555-0142", _look_up="first"))
    form = shown(response)
    assert response.status_code == 200
    assert not form.errors
    assert form["contact_name"].value() == "Mark Ames"
    assert form["address_line"].value() == "1423 Soderblom Avenue"
    assert form["load_size"].value() == "half"
    assert Job.objects.count() == 1


def test_button_fills_in_the_chosen_place_over_what_was_there(desk, mark):
    make_job(customer=mark, address_line="1 Elm Street", unit="9")
    make_job(customer=mark, address_line="2 Oak Street")
    typed = {"phone": "9075550142", "address_line": "2 Oak Street", "details": "a piano"}
    form = shown(desk.post(ADD, form_of(desk, _look_up="0-1", **typed)))
    assert form["address_line"].value() == "1 Elm Street"
    assert form["unit"].value() == "9"
    assert form["details"].value() == "a piano"


def test_button_keeps_what_was_typed(desk, mark):
    make_job(customer=mark)
    typed = {"phone": "9075550142", "contact_name": "Mary Ames", "price_text": "cheap"}
    form = shown(desk.post(ADD, form_of(desk, _look_up="first", **typed)))
    assert form["contact_name"].value() == "Mary Ames"
    assert form["price_text"].value() == "cheap"
    assert form["contact_email"].value() == "mark@example.com"


@pytest.mark.parametrize("chosen", ["first", "0-0", "9-9", "x", "-", ""])
def test_button_without_a_known_phone_fills_in_nothing(desk, chosen):
    response = desk.post(ADD, form_of(desk, phone="9075550142", _look_up=chosen))
    assert shown(response)["contact_name"].value() in (None, "")
    assert "No customer has this phone yet." in response.content.decode()


def test_button_does_not_choose_among_several_customers(desk, mark):
    make_customer(phone="+19075550143", name="Zoe")
    response = desk.post(ADD, form_of(desk, phone="907555014", _look_up="first"))
    assert shown(response)["contact_name"].value() in (None, "")
    assert 'value="1-"' in response.content.decode()
    form = shown(desk.post(ADD, form_of(desk, phone="907555014", _look_up="1-")))
    assert form["contact_name"].value() == "Zoe"
    assert form["phone"].value() == "(907) 555-0143"


def test_button_shows_price_and_windows(desk, clock):
    service = make_service()
    PriceRule.objects.filter(service=service).delete()
    PriceRule.objects.create(
        service=service, load_size="half", cents=39_000, valid_from="2026-01-01"
    )
    make_window(NOW + HOUR)
    response = desk.post(ADD, form_of(desk, _offer="yes", service=service.pk, load_size="half"))
    html = response.content.decode()
    assert "$390 all-in" in html
    assert "Fri Nov 20, 2 p.m. to 4 p.m. (16 left)" in html
    assert not shown(response).errors


def booking(desk, mark, **typed):
    last = make_job(customer=mark, load_size="half")
    make_price(last)
    values = known(desk, "9075550142")[0]["places"][0]["fields"]
    return form_of(desk, **{**values, **typed})


def test_known_customer_is_booked_with_window_and_crew_in_one_save(desk, mark, clock):
    window, crew = make_window(NOW + HOUR), make_crew()
    data = booking(desk, mark, free_window=window.pk, crew=crew.pk)
    response = desk.post(ADD, data)
    job = Job.objects.order_by("pk").last()
    assert response.url == f"/admin/dispatch/job/{job.pk}/change/"
    assert (job.customer, job.crew, job.status) == (mark, crew, Status.SCHEDULED)
    assert (job.window, job.window_units) == (window, 4)
    assert ServiceWindow.objects.get(pk=window.pk).taken == 4
    assert [event.status for event in job.events.order_by("pk")][-1] == Status.SCHEDULED
    assert desk.post(ADD, data).status_code == 302
    assert Job.objects.count() == 2
    assert ServiceWindow.objects.get(pk=window.pk).taken == 4


def test_window_that_has_filled_up_is_refused_and_all_is_kept(desk, mark, clock):
    window, crew = make_window(NOW + HOUR, units=4), make_crew()
    data = booking(desk, mark, free_window=window.pk, crew=crew.pk, details="a piano")
    ServiceWindow.objects.filter(pk=window.pk).update(taken=2)
    response = desk.post(ADD, data)
    form = shown(response)
    assert form.errors.as_data()["window_start"][0].code == "window-full"
    html = response.content.decode()
    assert "a piano" in html
    assert f'value="{crew.pk}" id="id_crew_1" checked' in html.replace("\n", " ")
    assert Job.objects.count() == 1


def test_booking_returns_to_where_one_came_from(desk, mark):
    data = booking(desk, mark)
    assert desk.post(f"{ADD}?next=/dashboard/%3Fday%3D2026-11-21", data).url == (
        "/dashboard/?day=2026-11-21"
    )


def test_many_crews_are_a_list_and_few_are_buttons(desk):
    for _ in range(8):
        make_crew()
    assert 'type="radio" name="crew"' in desk.get(ADD).content.decode()
    make_crew()
    html = desk.get(ADD).content.decode()
    assert 'type="radio" name="crew"' not in html
    assert '<select name="crew"' in html


def test_form_is_drawn_in_a_constant_number_of_queries(desk, mark, clock):
    for number in range(20):
        make_window(NOW + number * 3 * HOUR)
        make_job(customer=mark)
    with CaptureQueriesContext(connection) as queries:
        desk.get(ADD)
    assert len(queries) <= 15
