"""The public document of prices and free windows."""

from datetime import UTC, datetime

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from dispatch.models import PriceRule, ServedZip, ServiceWindow
from tests.builders import make_job, make_service

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 23, 18, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture(autouse=True)
def offer():
    """One price, one surcharge, and windows tomorrow of which one is full."""
    junk = make_service("junk")
    PriceRule.objects.all().delete()
    PriceRule.objects.create(service=junk, load_size="half", cents=34_000, valid_from="2026-01-01")
    ServedZip.objects.all().delete()
    ServedZip.objects.create(zip_code="99709", surcharge_cents=2_000)
    ServiceWindow.objects.all().delete()
    for hour, taken in ((18, 8), (20, 0), (22, 5)):
        start = datetime(2026, 11, 24, hour, tzinfo=UTC)
        ServiceWindow.objects.create(
            start=start, end=start.replace(hour=hour + 1), units=8, public_units=8, taken=taken
        )


def ask(client, **query):
    return client.get("/api/v1/windows", query)


def test_price_surcharge_and_windows_with_room(client, settings):
    settings.TIME_ZONE = "America/Anchorage"
    answer = ask(client, zip="99709", service="junk", load="half")
    document = answer.json()
    ids = list(ServiceWindow.objects.filter(taken=0).values_list("pk", flat=True))
    assert answer["Cache-Control"] == "public, max-age=15"
    assert document == {
        "v": 1,
        "served": True,
        "price": "$360 all-in",
        "price_label": "$360 all-in",
        "surcharge": "$20",
        "windows": [
            {
                "id": ids[0],
                "start": "2026-11-24T20:00:00Z",
                "end": "2026-11-24T21:00:00Z",
                "label": "Tomorrow, 11:00 AM \u2013 12:00 PM",
            }
        ],
    }


def test_smaller_load_has_more_windows_and_no_price(client):
    document = ask(client, zip="99709-1234", service="junk", load="eighth").json()
    assert len(document["windows"]) == 2
    assert document["price"] is None


def test_outside_the_area_nothing_is_offered(client):
    document = ask(client, zip="90210", service="junk").json()
    assert document == {"v": 1, "served": False, "windows": []} | dict.fromkeys(
        ["price", "price_label", "surcharge"]
    )


def test_zip_alone_says_whether_it_is_served(client):
    document = ask(client, zip="99709").json()
    assert (document["served"], document["windows"]) == (True, [])


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({}, "zip"),
        ({"zip": "9970"}, "zip"),
        ({"zip": "<script>"}, "zip"),
        ({"zip": "99709", "service": "piano"}, "service"),
        ({"zip": "99709", "service": "junk\x00"}, "service"),
        ({"zip": "99709", "service": "junk", "load": "planet"}, "load"),
        ({"zip": "99709", "service": "junk", "days": "-1"}, "days"),
        ({"zip": "99709", "service": "junk", "days": "91"}, "days"),
        ({"zip": "99709", "service": "junk", "days": "9" * 5000}, "days"),
        ({"zip": "99709", "service": "junk", "days": "\u0663"}, "days"),
    ],
)
def test_what_cannot_be_read_is_named(client, query, field):
    answer = ask(client, **query)
    document = answer.json()
    assert (answer.status_code, document["field"]) == (400, field)
    assert document["code"] == "value-refused"
    assert document["message"]
    assert document["hint"]
    assert answer["Cache-Control"] == "no-store"


def test_queries_do_not_depend_on_jobs_or_windows(client):
    def queries():
        with CaptureQueriesContext(
            connection,
        ) as seen:
            ask(client, zip="99709", service="junk", load="half")
        return [query["sql"].split("WHERE")[0] for query in seen]

    before = queries()
    window = ServiceWindow.objects.filter(taken=5).get()
    for _ in range(5):
        make_job(window=window, window_units=1, window_start=window.start, window_end=window.end)
    assert queries() == before
    assert not [sql for sql in before if "dispatch_job" in sql]


def test_no_cookie_is_set_or_read(client):
    answer = ask(client, zip="99709", service="junk")
    assert not answer.cookies
    assert "Cookie" not in answer.get("Vary", "")
    assert client.post("/api/v1/windows").status_code == 405
