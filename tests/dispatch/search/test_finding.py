"""Searches: every word, the newest first, and what was meant by a mistyped one."""

from uuid import uuid4

import pytest
from django.urls import reverse

from dispatch.booking import BookingRequest, book, create_job
from dispatch.changing import change_details
from dispatch.models import Customer, Job, JobEvent, Word
from dispatch.search import finding
from dispatch.search.finding import search_customers, search_jobs
from tests.builders import make_customer, make_job

pytestmark = pytest.mark.django_db


def numbers(text, **among):
    return [job.number for job in search_jobs(text, **among).jobs]


@pytest.fixture
def mark():
    """A job with all that is searched, beside one that shares nothing with it."""
    customer = make_customer(name="Mark Ames-Peña", phone="+19075550142", email="mp@example.com")
    make_job(
        number=2000, customer=make_customer(phone="+12125559876", name="Zoe"), town="Nome",
        address_line="1 Elm", zip_code="99762",
    )  # fmt: skip
    return make_job(
        number=1042, former_id="OLD-77", customer=customer, contact_name="M. Ames",
        contact_email="work@firm.example", address_line="1423 Soderblom Avenue", unit="4B",
        town="Fairbanks", zip_code="99709-1234", details="a grand piano", access_notes="gate 8265",
        on_hold=True, hold_reason="waits for permission",
    )  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        *("1042", "QDN-1042", "qdn1042", "QDN 1042", "#1042", "old-77"),
        *("1423 Soderblom Avenue, Fairbanks, 99709", "Ames, Mark", "PENA", "Peña", "soder ave"),
        *("(907) 555-0142", "907.555.0142", "+1 907 555 0142", "555 01 42", "0142", "mark 0142"),
        *("mp@example.com", "work@firm.example", "4b", "99709-1234", "m ames", "fa"),
    ],
)
def test_job_is_found_by(mark, text):
    assert numbers(text) == [1042]
    assert [job.number for job in Job.objects.search(text)] == [1042]


@pytest.mark.parametrize(
    "text",
    [
        *("QDN-104", "#42", "mark nome", "555-0143", "a", "ov", "%", "_", "'", '"', "--"),
        *("piano", "8265", "permission", "2000 soderblom"),
    ],
)
def test_job_is_not_found_by(mark, text):
    assert 1042 not in numbers(text)


def test_newest_come_first_and_the_number_typed_before_them():
    for number in (1042, 10420, 5):
        make_job(number=number, contact_name="Mark")
    assert numbers("mark") == [10420, 1042, 5]
    assert numbers("1042") == [1042, 10420]


def test_search_is_among_the_jobs_given():
    make_job(number=1, town="Nome"), make_job(number=2)
    assert numbers("dana", jobs=Job.objects.filter(town="Nome")) == [1]


def test_more_jobs_than_are_listed(monkeypatch):
    monkeypatch.setattr(finding, "LIMIT", 2)
    for number in (1, 2, 3):
        make_job(number=number)
    found = search_jobs("dana")
    assert ([job.number for job in found.jobs], found.more) == ([3, 2], True)
    assert search_jobs("dana", jobs=Job.objects.filter(number__lt=3)).more is False


def test_old_job_is_found_behind_many_newer_ones(monkeypatch):
    """The filters leave none of the newest keys of the index."""
    monkeypatch.setattr(finding, "KEYS_AT_ONCE", 2)
    for number in (1, 2, 3, 4):
        make_job(number=number, town="Nome" if number == 1 else "Ester")
    assert numbers("dana", jobs=Job.objects.filter(town="Nome")) == [1]


# Kept with every change


def test_booked_job_is_found():
    request = BookingRequest(
        name="Zoë Lindqvist", phone="907-555-0142", address_line="9 Chena Ridge", town="Ester",
        zip_code="99725", email="zoe@example.com", access_notes="gate 8265",
    )  # fmt: skip
    job = book(request=request, form_key=uuid4()).job
    assert numbers("lindqvist ester 0142") == [job.number]
    assert Word.objects.filter(search_text=" ridge ").exists()


def test_changed_job_is_found_by_what_it_is_now():
    job = make_job(number=1042)
    change_details(job=job, changes={"address_line": "7 Birch Lane"}, actor="dana")
    assert numbers("birch") == [1042]
    assert numbers("soderblom") == []
    change_details(job=job, changes={"details": "a piano"}, actor="dana")
    assert JobEvent.objects.filter(job=job, changes__has_key="search_text").count() == 0


@pytest.mark.parametrize(
    ("field", "value", "text"),
    [
        ("name", "Nora Quist", "quist"),
        ("phone", "+19075550177", "555-0177"),
        ("email", "nora@example.com", "nora@example.com"),
    ],
)
def test_corrected_customer_is_found_with_the_jobs(field, value, text):
    job = make_job(number=1042)
    setattr(job.customer, field, value)
    job.customer.save(update_fields=[field])
    assert numbers(text) == [1042]
    assert search_customers(text).rows.get() == job.customer
    assert Job.objects.get().revision == 1


def test_renaming_customer_teaches_the_word():
    customer = make_customer()
    customer.name = "Lindqvist"
    customer.save()
    assert search_customers("lindquist").corrected == {"lindquist": ("lindqvist",)}


# Mistyped words


@pytest.fixture
def chena():
    return create_job(
        name="Mark Ames", phone="907-555-0142", address="12 Chena Ridge Road, Ester, 99725",
        actor="dana", email="mark@example.com",
    )  # fmt: skip


@pytest.mark.parametrize("typed", ["chenna", "chna", "hcena", "cehna", "shena", "mark chna"])
def test_mistyped_word_is_corrected(chena, typed):
    found = search_jobs(typed)
    assert [job.pk for job in found.jobs] == [chena.pk]
    assert found.corrected == {typed.split()[-1]: ("chena",)}


@pytest.mark.parametrize("typed", ["xxxna", "chxx", "che na", "12x4", "nome chenna", "9075550143"])
def test_nothing_is_corrected_to_what_was_not_meant(chena, typed):
    found = search_jobs(typed)
    assert (list(found.jobs), found.corrected) == ([], {})


def test_word_that_is_found_is_not_corrected(chena):
    make_job(address_line="3 Chenal Street")
    assert search_jobs("chenal").corrected == {}


def test_equally_near_words_are_all_looked_for(chena):
    create_job(name="Ann", phone="907-555-0143", address="1 Chenu Road, Ester, 99725", actor="dana")
    found = search_jobs("chen road")
    assert found.corrected == {}
    assert search_jobs("chenx").corrected == {"chenx": ("chena", "chenu")}
    assert search_jobs("chenx").jobs.count() == 2


# In the admin


def test_list_says_what_it_corrected(chena, admin_client):
    page = admin_client.get(reverse("admin:dispatch_job_changelist"), {"q": "chenna"})
    assert [job.pk for job in page.context["cl"].result_list] == [chena.pk]
    said = "No job has &#x27;chenna&#x27;. Showing results for &#x27;chena&#x27;."
    assert said in page.content.decode()


def test_customer_list_says_what_it_corrected(chena, admin_client):
    page = admin_client.get(reverse("admin:dispatch_customer_changelist"), {"q": "mrak"})
    assert [one.name for one in page.context["cl"].result_list] == ["Mark Ames"]
    said = "No customer has &#x27;mrak&#x27;. Showing results for &#x27;mark&#x27;."
    assert said in page.content.decode()


def test_list_says_that_there_is_more(monkeypatch, admin_client):
    monkeypatch.setattr(finding, "LIMIT", 1)
    make_job(), make_job()
    page = admin_client.get(reverse("admin:dispatch_job_changelist"), {"q": "dana"})
    assert page.context["cl"].result_count == 1
    assert "jobs match. These are the newest" in page.content.decode()


def test_found_jobs_can_be_sorted(admin_client):
    make_job(number=1, town="Ester"), make_job(number=2, town="Nome")
    page = admin_client.get(reverse("admin:dispatch_job_changelist"), {"q": "dana", "o": "5"})
    assert [job.number for job in page.context["cl"].result_list] == [1, 2]


def test_customer_without_a_phone_is_found():
    customer = Customer.objects.create(name="Ola Berg", phone=None)
    assert list(search_customers("berg").rows) == [customer]
