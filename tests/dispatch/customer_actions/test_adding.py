"""Answers about a price, photos with a note, and gate codes."""

import io
from uuid import uuid4

import pytest
from django.core.files.storage import default_storage
from django.urls import reverse

from dispatch.changing import change_details, set_price
from dispatch.customer_actions.adding import add_photos_and_note, answer_price, give_code
from dispatch.customer_actions.changed import changes_since
from dispatch.customer_actions.planning import ask_pickup
from dispatch.customer_actions.results import Result, result_of
from dispatch.errors import ActionRefused, JobChangedMeanwhile, ValueRefused
from dispatch.models import Job, Photo
from dispatch.photos.intake import ready_photo
from dispatch.price_questions import (
    Answer,
    open_question,
    pickup_asked,
    price_not_agreed,
    question_of,
)
from dispatch.prices import parse_price
from dispatch.statuses import Status
from tests.builders import make_crew, make_job, make_price
from tests.dispatch.customer_actions.builders import NOW, make_placed_job, own_events, sent
from tests.dispatch.job_page import page_of
from tests.photo_files import jpeg

pytestmark = pytest.mark.django_db


def priced(job, text, reason="Heavier"):
    job = Job.objects.get(pk=job.pk)
    set_price(job=job, price=parse_price(text), actor="dana", reason=reason)
    return job


def answer(job, value, **kwargs):
    return answer_price(job=job, answer=value, **{"sent": sent(job), **kwargs})


def add(job, *, photos=0, note="", key=None):
    ready = [ready_photo(io.BytesIO(jpeg()), name="a.jpg") for _ in range(photos)]
    return add_photos_and_note(job=job, photos=ready, note=note, key=key or uuid4())


def files():
    return default_storage.listdir("photos")[1] if default_storage.exists("photos") else []


@pytest.fixture
def asked():
    """A scheduled job whose price went from $300 to $400."""
    job = make_job(status=Status.SCHEDULED)
    priced(job, "300")
    return priced(job, "400")


def test_changed_price_of_a_confirmed_job_is_a_question(asked):
    question = question_of(asked)
    assert (str(question.before), str(question.price)) == ("$300 all-in", "$400 all-in")
    assert open_question(asked) == question.price
    assert list(price_not_agreed(Job.objects.all())) == [asked]


def test_first_price_and_prices_of_requests_are_no_question():
    scheduled, request = make_job(status=Status.SCHEDULED), make_job()
    jobs = [priced(scheduled, "300"), priced(priced(request, "300"), "400")]
    assert [open_question(job) for job in jobs] == [None, None]
    assert list(price_not_agreed(Job.objects.all())) == []


def test_several_changes_are_one_question(asked):
    job = priced(asked, "450")
    assert str(question_of(job).before) == "$300 all-in"
    assert question_of(priced(job, "300")) is None


def test_ended_job_has_no_question(asked):
    Job.objects.update(status=Status.COMPLETED)
    asked.refresh_from_db()
    assert open_question(asked) is None
    assert list(price_not_agreed(Job.objects.all())) == []


@pytest.mark.parametrize(
    ("value", "result", "left"),
    [
        (Answer.YES, Result.PRICE_ACCEPTED, 0),
        (Answer.NO, Result.PRICE_REFUSED, 1),
        (Answer.CALL, Result.CALL_ASKED, 1),
    ],
)
def test_answer_closes_the_question_and_the_office_sees_it(asked, value, result, left):
    event = answer(asked, value)
    assert event.changes == {"price_answer": ["", value.value]}
    assert result_of(event) == result
    job = Job.objects.get()
    assert open_question(job) is None
    assert price_not_agreed(Job.objects.all()).count() == left
    with pytest.raises(ActionRefused):
        answer(job, Answer.YES)
    assert open_question(priced(job, "500")) is not None
    assert price_not_agreed(Job.objects.all()).count() == 1


def test_answer_to_an_older_price_is_refused(asked):
    form = sent(asked)
    priced(asked, "500")
    with pytest.raises(JobChangedMeanwhile):
        answer(asked, Answer.YES, sent=form)
    assert own_events(asked) == []
    assert changes_since(Job.objects.get(), form.revision, NOW) == ["The price is now $500 all-in."]


def test_note_and_photos_are_one_event_that_crews_read():
    job = make_job(details="Couch")
    event = add(job, photos=2, note="It is\r\nwet")
    job.refresh_from_db()
    assert job.details == "Couch\n\nCustomer, Nov 20: It is\nwet"
    assert event.changes["photos"] == ["0", "2"]
    assert (event.kind, result_of(event)) == ("answer", Result.ADDED)
    assert Photo.objects.filter(job=job, actor="customer").count() == 2


def test_same_photos_again_count_once():
    job, key = make_job(), uuid4()
    assert add(job, photos=1, key=key) == add(job, photos=1, key=key)
    assert (Photo.objects.count(), len(files())) == (1, 2)


def test_more_photos_than_six_are_refused_and_leave_no_file():
    job = make_job()
    add(job, photos=4)
    with pytest.raises(ValueRefused) as refusal:
        add(job, photos=3, note="More")
    assert refusal.value.field == "photos"
    assert (Photo.objects.count(), len(files())) == (4, 8)
    assert Job.objects.get().details == ""


def test_note_alone_is_fine_and_nothing_at_all_is_not():
    job = make_job()
    add(job, note="Hello")
    with pytest.raises(ValueRefused):
        add(job, note="  ")


def test_note_without_room_is_refused():
    job = make_job(details="x" * 1_990)
    with pytest.raises(ValueRefused) as refusal:
        add(job, note="Hello")
    assert refusal.value.field == "note"
    assert own_events(job) == []


def test_notes_codes_and_photos_fit_a_changed_job():
    job = make_job()
    change_details(job=Job.objects.get(), changes={"crew": make_crew()}, actor="dana")
    add(job, photos=1, note="Hello")
    give_code(job=job, text="4411", replace=False, key=uuid4())
    assert len(own_events(job)) == 2


def test_code_is_not_in_the_history():
    job = make_job(access_notes="Dog in the yard")
    event = give_code(job=job, text="Gate 4411", replace=False, key=uuid4())
    job.refresh_from_db()
    assert job.access_notes == "Nov 20: Gate 4411\nDog in the yard"
    assert event.changes == {"access_notes": ["(not kept)", "(not kept)"]}
    assert result_of(event) == Result.CODE_GIVEN


def test_code_may_replace_the_earlier_ones():
    job = make_job(access_notes="x" * 495)
    with pytest.raises(ValueRefused) as refusal:
        give_code(job=job, text="4411", replace=False, key=uuid4())
    assert (refusal.value.field, "xx" in str(refusal.value)) == ("code", False)
    give_code(job=job, text="4411", replace=True, key=uuid4())
    job.refresh_from_db()
    assert job.access_notes == "Nov 20: 4411"


def test_pickups_asked_for_are_found_until_they_are_planned():
    job = make_placed_job()
    make_price(job)
    ask_pickup(job=job, window=None, sent=sent(job))
    assert list(pickup_asked(Job.objects.all())) == [job]
    Job.objects.update(status=Status.READY_FOR_PICKUP)
    assert list(pickup_asked(Job.objects.all())) == []


def test_office_finds_jobs_whose_customer_awaits_it(desk, asked):
    placed = make_placed_job()
    ask_pickup(job=placed, window=None, sent=sent(placed))
    answer(asked, Answer.NO)
    lists = reverse("admin:dispatch_job_changelist")
    for needs, job in (("price-question", asked), ("pickup-asked", placed)):
        assert list(desk.get(lists, {"needs": needs}).context["cl"].result_list) == [job]
    pages = [desk.get(page_of(job)).content.decode() for job in (asked, placed)]
    assert "answer to the price: none → no" in pages[0]
    assert "customer asks for the pickup: none → as soon as possible" in pages[1]
