"""The booking form: valid input becomes a request; errors appear at their field."""

from uuid import UUID, uuid4

import pytest
import time_machine
from django.http import QueryDict

from dispatch import consent
from dispatch.booking import book
from dispatch.forms import BookingForm
from tests.builders import make_service

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def day_of_the_form():
    """Make the requested day in `typed` today, whenever the tests run."""
    with time_machine.travel("2026-11-20T12:00:00Z"):
        yield


def typed(**changes):
    values = {
        "zip_code": "99709",
        "service": "junk",
        "load_size": "half",
        "details": "A sofa in the garage",
        "requested_day": "2026-11-20",
        "requested_time": "morning",
        "name": "Mark Ames",
        "phone": "907.555.0142",
        "email": "mark@example.com",
        "address_line": "1423 Soderblom Avenue",
        "unit": "",
        "town": "Fairbanks",
        "access_notes": "Gate 4711",
        "website": "",
        "form_key": str(uuid4()),
        **changes,
    }
    data = QueryDict(mutable=True)
    data.update({name: value for name, value in values.items() if value is not None})
    return data


def test_complete_form_books_a_job():
    form = BookingForm(typed(text_consent="on"))
    assert form.is_valid(), form.errors
    request = form.to_request(remote_address="203.0.113.7")
    job = book(request=request, form_key=form.cleaned_data["form_key"]).job
    assert (job.customer.phone.as_e164, job.load_size) == ("+19075550142", "half")
    assert (str(job.requested_day), job.access_notes) == ("2026-11-20", "Gate 4711")
    assert job.text_consent.version == consent.CURRENT


def test_line_ends_are_counted_as_in_browsers():
    lines = ["x" * 99] * 20  # 1,999 characters in the browser, sent as 2,018
    form = BookingForm(typed(details="\r\n".join(lines)))
    assert form.is_valid(), form.errors
    job = book(request=form.to_request(), form_key=form.cleaned_data["form_key"]).job
    assert job.details == "\n".join(lines)


def test_form_without_optional_fields_is_valid():
    empty = dict.fromkeys(
        ("load_size", "details", "requested_day", "requested_time", "email", "access_notes"), ""
    )
    form = BookingForm(typed(**empty))
    assert form.is_valid(), form.errors
    assert form.to_request().consent_version == ""


def test_zip_comes_first_and_name_after_the_job_details():
    names = list(BookingForm().fields)
    what = ["zip_code", "service", "load_size", "rental_days", "place_on_site", "details"]
    assert names[: len(what)] == what
    assert names.index("third_choice") < names.index("name") < names.index("access_notes")


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("phone", "", "required"),
        ("phone", "555-0142", "invalid"),
        ("phone", "call me", "invalid"),
        ("name", " ", "required"),
        ("zip_code", "9970", "invalid"),
        ("zip_code", "", "required"),
        ("service", "", "required"),
        ("service", "piano", "invalid_choice"),
        ("load_size", "planet", "invalid_choice"),
        ("email", "mark", "invalid"),
        ("town", "", "required"),
        ("address_line", "", "required"),
        ("address_line", "x" * 121, "max_length"),
        ("requested_day", "2026-11-19", "past"),
        ("requested_day", "2062-11-20", "too-far"),
        ("requested_day", "someday", "invalid"),
        ("website", "http://spam.example", "spam"),
        ("form_key", "", "required"),
        ("form_key", "42", "invalid"),
    ],
)
def test_refused_at_the_field(field, value, code):
    with time_machine.travel("2026-11-20T20:00:00Z"):
        form = BookingForm(typed(**{field: value}))
        assert not form.is_valid()
    assert form.has_error(field, code), form.errors.as_data()
    assert set(form.errors) == {field}


def test_today_is_local_not_utc():
    """05:00 UTC is the previous evening in Denver."""
    with time_machine.travel("2026-11-21T05:00:00Z"):
        assert BookingForm(typed(requested_day="2026-11-20")).is_valid()


def test_inactive_service_is_not_offered():
    make_service("piano", active=False)
    assert BookingForm(typed(service="piano")).has_error("service", "invalid_choice")


def test_zip_plus_four_is_accepted():
    assert BookingForm(typed(zip_code="99709-1234")).is_valid()


def test_missing_key_loses_no_input():
    form = BookingForm(typed(form_key=None))
    assert not form.is_valid()
    again = form.with_fresh_key()
    assert again["name"].value() == "Mark Ames"
    assert again["access_notes"].value() == "Gate 4711"
    assert UUID(again["form_key"].value()).version == 4


def test_honeypot_detects_spam():
    assert BookingForm(typed(website="x")).looks_like_spam
    assert not BookingForm(typed()).looks_like_spam


def test_fields_have_input_hints_for_browsers():
    html = BookingForm().as_div()
    for attribute in (
        'type="tel"',
        'autocomplete="tel"',
        'autocomplete="postal-code"',
        'autocomplete="address-line1"',
        'inputmode="numeric"',
        'type="date"',
    ):
        assert attribute in html
    assert "checked" not in str(BookingForm()["text_consent"])
