"""No job number is used twice, even if the database lost the jobs that had them."""

import json

import pytest

from dispatch.booking import create_job
from dispatch.models import Counter
from dispatch.numbers import last_number, raise_last_number
from tests.builders import make_job
from tests.tracking.builders import MemoryStore, make_link
from tracking.numbers import KEY, MARGIN, continued, highest_known
from tracking.publishing import publish

pytestmark = pytest.mark.django_db


@pytest.fixture
def store():
    return MemoryStore()


def recorded(store):
    return json.loads(store.bodies[KEY])["number"]


def continue_above(store):
    number = continued(last_number(), known=highest_known(store))
    raise_last_number(number)
    return number


def lose_the_counter(value=1000):
    Counter.objects.filter(name="job").update(value=value)


def test_publishing_records_the_last_number(store):
    link = make_link()
    publish(objects=store)
    assert recorded(store) == link.job.number == last_number()
    assert store.headers[KEY] == ("application/json", "no-store")


def test_recorded_number_never_falls(store):
    link = make_link()
    publish(objects=store)
    lose_the_counter()
    publish(objects=store, everything=True)
    assert recorded(store) == link.job.number


def test_numbers_continue_above_the_recorded_one(store):
    make_link()
    publish(objects=store)
    unpublished = make_job()  # given out after the last publication
    lose_the_counter()
    assert continue_above(store) == recorded(store) + MARGIN
    job = create_job(
        name="Mark Ames", phone="907-555-0142", actor="pat",
        address="1423 Soderblom Avenue, Fairbanks, 99709",
    )  # fmt: skip
    assert job.number > unpublished.number


def test_without_a_recorded_number_the_documents_are_read(store):
    links = [make_link(), make_link()]
    publish(objects=store)
    del store.bodies[KEY]
    store.bodies[f"jobs/{'0' * 64}.json"] = b"not a document"
    lose_the_counter()
    assert continue_above(store) == links[-1].job.number + MARGIN


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b'{"number": null}'])
def test_damaged_record_counts_as_none(store, body):
    link = make_link()
    store.bodies[KEY] = body
    publish(objects=store)
    assert recorded(store) == link.job.number


def test_counter_stays_where_it_is_if_nothing_higher_is_known(store):
    before = make_link().job.number
    publish(objects=store)
    assert continue_above(store) == before
    assert continue_above(MemoryStore()) == before
    assert last_number() == before


def test_store_failure_does_not_stop_publishing(store, caplog):
    make_link()
    store.refused.add(KEY)
    assert publish(objects=store)["written"] == 1
    assert "not recorded: backend-unavailable" in caplog.text


def test_counter_is_made_if_it_is_missing():
    Counter.objects.all().delete()
    raise_last_number(4000)
    assert last_number() == 4000
    raise_last_number(3000)
    assert last_number() == 4000
