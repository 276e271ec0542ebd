"""Forms sent many times at once book one job each."""

import pytest
from django.test import Client

from dispatch.models import Customer, Job, JobEvent
from tests.dispatch.conftest import shared_database, together
from tests.tracking.test_views import BOOK, typed
from tracking.models import TrackingLink

__all__ = ["shared_database", "together"]
FORMS, TIMES = 8, 8


@pytest.fixture(autouse=True)
def no_limits(settings):
    settings.BOOKINGS_PER_ADDRESS_HOUR = settings.BOOKINGS_PER_ADDRESS_DAY = 0
    settings.BOOKINGS_PER_PHONE_DAY = 0


def test_64_posts_of_8_forms_make_8_jobs(together):
    forms = [typed(phone=f"907-555-01{number:02}") for number in range(FORMS)] * TIMES
    answers = together(lambda: Client().post(BOOK, forms.pop()), times=FORMS * TIMES)
    assert [getattr(one, "status_code", one) for one in answers] == [303] * FORMS * TIMES
    numbers = list(Job.objects.order_by("number").values_list("number", flat=True))
    assert numbers == list(range(1001, 1001 + FORMS))
    # Each sender was led to the job of the form, which has one link, one event and one customer.
    assert len({answer["Location"] for answer in answers}) == FORMS
    counts = [model.objects.count() for model in (TrackingLink, Customer, JobEvent)]
    assert counts == [FORMS] * 3


def test_one_phone_in_8_forms_at_once_is_one_customer(together):
    forms = [typed() for _ in range(FORMS)]
    answers = together(lambda: Client().post(BOOK, forms.pop()), times=FORMS)
    assert {getattr(one, "status_code", one) for one in answers} == {303}
    assert (Job.objects.count(), Customer.objects.count()) == (FORMS, 1)
