"""Every action several times at once: the same form counts once, others are refused in words."""

import io
from functools import partial
from uuid import uuid4

import pytest
from django.core.files.storage import default_storage

from dispatch.changing import set_price
from dispatch.customer_actions.adding import add_photos_and_note, answer_price, give_code
from dispatch.customer_actions.planning import CancelReason, ask_pickup, cancel, move_window
from dispatch.errors import DispatchError, JobChangedMeanwhile
from dispatch.models import Job, JobEvent, Photo
from dispatch.photos.intake import ready_photo
from dispatch.price_questions import Answer
from dispatch.prices import parse_price
from dispatch.statuses import Status
from dispatch.windows.capacity import WindowFull
from dispatch.windows.recount import drift
from notifications.models import Message
from tests.builders import make_price
from tests.dispatch.customer_actions.builders import (
    NOW,
    make_held_job,
    make_placed_job,
    make_windows,
    own_events,
    sent,
)
from tests.photo_files import jpeg

REACHABLE = {"contact_email": "mark@example.com"}


def moving():
    first, second = make_windows(3, 4)
    job = make_held_job(first, **REACHABLE)
    return job, lambda form: move_window(job=job, window=second.pk, sent=form)


def cancelling():
    job = make_held_job(*make_windows(3), **REACHABLE)
    reason = CancelReason.OTHER
    return job, lambda form: cancel(job=job, reason=reason, words="", sent=form)


def picking_up():
    (window,) = make_windows(3)
    job = make_placed_job(**REACHABLE)
    make_price(job)
    return job, lambda form: ask_pickup(job=job, window=window.pk, sent=form)


def answering():
    job = make_held_job(*make_windows(3), **REACHABLE)
    for text in ("300", "400"):
        price = parse_price(text)
        set_price(job=job, price=price, actor="dana", reason="Heavier")
    Message.objects.all().delete()
    return job, lambda form: answer_price(job=job, answer=Answer.YES, sent=form)


def adding():
    job = make_held_job(*make_windows(3), **REACHABLE)
    photo = ready_photo(io.BytesIO(jpeg()), name="a.jpg")
    add = partial(add_photos_and_note, job=job, photos=[photo], note="Hello")
    return job, lambda form: add(key=form.key)


def giving():
    job = make_held_job(*make_windows(3), **REACHABLE)
    return job, lambda form: give_code(job=job, text="4411", replace=False, key=form.key)


PLANNING = [moving, cancelling, picking_up, answering]
ALL = [*PLANNING, adding, giving]


def failures(results):
    return [result for result in results if isinstance(result, Exception)]


@pytest.mark.parametrize("make", ALL)
def test_same_form_at_once_counts_once(make, together):
    job, act = make()
    form = sent(job)
    results = together(lambda: act(form))
    assert failures(results) == []
    assert len({event.pk for event in results}) == 1
    assert own_events(job) == results[:1]
    assert Job.objects.get(pk=job.pk).revision == job.revision + 1
    assert Message.objects.count() == 1
    assert drift(NOW) == []


@pytest.mark.parametrize("make", PLANNING)
def test_of_two_forms_at_once_one_is_refused(make, together):
    job, act = make()
    revision = job.revision
    results = together(lambda: act(sent(job, revision=revision)))
    refused = failures(results)
    assert len(refused) == len(results) - 1
    assert all(isinstance(one, JobChangedMeanwhile) for one in refused), refused
    assert len(own_events(job)) == 1
    assert drift(NOW) == []


def test_photos_of_one_form_at_once_leave_no_other_files(together):
    _, act = adding()
    form = sent(Job.objects.get())
    together(lambda: act(form))
    assert Photo.objects.count() == 1
    assert len(default_storage.listdir("photos")[1]) == 2


def test_different_notes_at_once_are_all_kept_or_refused(together):
    job, act = giving()
    results = together(lambda: act(sent(job)), times=3)
    kept = len(results) - len(failures(results))
    assert all(isinstance(one, DispatchError) for one in failures(results))
    assert (kept >= 1, len(own_events(job))) == (True, kept)
    assert Job.objects.get().access_notes.count("4411") == kept


def test_jobs_that_move_to_the_last_place_at_once(together):
    first, last = make_windows(3, 4, units=2)
    first.units = first.public_units = 16
    first.save()
    jobs = [make_held_job(first) for _ in range(4)]

    def move():
        job = jobs.pop()
        return move_window(job=job, window=last.pk, sent=sent(job))

    results = together(move, times=4)
    assert [type(one) for one in failures(results)] == [WindowFull] * 3
    assert drift(NOW) == []
    last.refresh_from_db()
    assert last.taken == 2


def test_customer_and_office_at_once(together):
    job, act = moving()
    forms = [sent(job), None, sent(job, key=uuid4()), None]

    def either():
        form = forms.pop()
        if form is not None:
            return act(form)
        fresh = Job.objects.get(pk=job.pk)
        return set_price(job=fresh, price=parse_price("500"), actor="dana", reason="Heavier")

    together(either, times=4)
    assert JobEvent.objects.filter(job=job).count() == Job.objects.get().revision
    assert Job.objects.get().status == Status.SCHEDULED
    assert drift(NOW) == []
