from datetime import UTC, datetime

import pytest
from django.utils import translation

from dispatch.statuses import Status
from tests.builders import make_job
from tracking.documents import public_document
from tracking.surfaces import track_context
from tracking.texts import status_table
from tracking.wording import job_view

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("firm_clock")]
NOW = datetime(2026, 11, 21, 20, 0, tzinfo=UTC)  # 11:00 AM in Fairbanks


@pytest.fixture
def firm_clock(settings):
    settings.TIME_ZONE = "America/Anchorage"


def view(start, end, status=Status.SCHEDULED, now=NOW):
    job = make_job(status=status, window_start=start, window_end=end)
    return job_view(public_document(job), now, answer_hours=4)


def shown(language="en", **values):
    """Return the page's texts of a job, with some values of its document replaced."""
    with translation.override(language):
        document = public_document(make_job(language=language)) | values
        return job_view(document, NOW, answer_hours=4)


def window(start, end):
    return {"start": start.isoformat(), "end": end.isoformat()}


def ended(status, label, **values):
    flow = [{"code": status, "label": label, "at": "2026-11-20T20:00:00Z"}]
    return {"status": status, "label": label, "flow": flow, **values}


def at(day, hour, minute=0):
    return datetime(2026, 11, day, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("start", "end", "text"),
    [
        (at(21, 18), at(21, 20), "Today, 9:00 \u2013 11:00 AM"),
        (at(21, 20), at(21, 22, 30), "Today, 11:00 AM \u2013 1:30 PM"),
        (at(21, 21), at(21, 23), "Today, 12:00 \u2013 2:00 PM"),
        (at(22, 18), at(22, 20), "Tomorrow, 9:00 \u2013 11:00 AM"),
        (at(20, 18), at(20, 20), "Yesterday, 9:00 \u2013 11:00 AM"),
        (at(25, 18), at(25, 20), "Wednesday, Nov 25, 9:00 \u2013 11:00 AM"),
        (at(21, 18), at(23, 18), "Today, 9:00 AM \u2013 Monday, Nov 23, 9:00 AM"),
        (at(22, 6), at(22, 10), "Today, 9:00 PM \u2013 Tomorrow, 1:00 AM"),
        # Late evening in Fairbanks is the next day in UTC.
        (at(22, 6), at(22, 8), "Today, 9:00 \u2013 11:00 PM"),
    ],
)
def test_window(start, end, text):
    assert view(start, end)["window"] == text


@pytest.mark.parametrize(
    ("status", "late"),
    [
        (Status.SCHEDULED, True),
        (Status.READY_FOR_PICKUP, True),
        (Status.EN_ROUTE, True),
        (Status.REQUESTED, False),
        (Status.IN_PROGRESS, False),
        (Status.COMPLETED, False),
    ],
)
def test_job_is_late_after_its_window_unless_work_started(status, late):
    assert view(at(21, 18), NOW, status=status)["late"] is late
    assert view(at(21, 18), at(21, 21), status=status)["late"] is False


@pytest.mark.parametrize(
    ("status", "end", "when"),
    [
        ("scheduled", at(21, 21), "Running about 30 minutes late"),
        ("en_route", at(21, 21), "Running about 30 minutes late"),
        ("en_route", at(21, 19, 45), "Running about 30 minutes late"),
        ("ready_for_pickup", at(21, 19, 30), "Running late, but still coming"),  # by more
        ("en_route", at(21, 19, 30), "The crew is on the way"),
        ("in_progress", at(21, 21), "The crew is here"),
    ],
)
def test_delay_that_the_crew_reports(status, end, when):
    document = {"status": status, "window": window(at(21, 19), end), "late_by": 30}
    words = shown(**document)
    assert (words["when"], words["late"]) == (when, status != "in_progress")


def test_delay_in_spanish():
    document = {"status": "en_route", "window": window(at(21, 19), at(21, 21)), "late_by": 60}
    assert shown("es", **document)["when"] == "Vamos con unos 60 minutos de retraso"


def test_delay_of_a_held_job_is_not_shown():
    window_ahead = window(at(21, 19), at(21, 21))
    words = shown(status="scheduled", window=window_ahead, late_by=30, on_hold=True)
    assert (words["when"], words["late"]) == ("On hold until we agree on a time", False)


def test_ended_job_shows_no_window():
    assert view(at(21, 18), at(21, 20), status=Status.COMPLETED)["window"] == ""


def test_steps_are_done_now_or_ahead():
    states = [step["state"] for step in view(None, None)["steps"]]
    assert states == ["done", "now", "", "", "", ""]


def test_every_step_of_a_finished_job_is_done():
    states = {step["state"] for step in view(None, None, status=Status.COMPLETED)["steps"]}
    assert states == {"done"}


def test_unset_values_have_texts():
    words = view(None, None)
    assert (words["price"], words["crew"]) == ("To be agreed", "Not assigned yet")


def test_pages_poll_often_during_the_work_and_stop_at_the_end():
    polls = {code: about["poll"] for code, about in status_table(4).items()}
    assert polls == {
        "requested": 300, "scheduled": 300, "on_site": 300, "ready_for_pickup": 300,
        "en_route": 20, "in_progress": 20, "completed": 0, "cancelled": 0,
    }  # fmt: skip


@pytest.mark.parametrize("status", [Status.REQUESTED, Status.SCHEDULED, Status.EN_ROUTE])
def test_held_job_says_so_and_is_never_late(status):
    hold = {"on_hold": True, "hold_reason": "Waiting for the key"}
    job = make_job(status=status, window_start=at(21, 18), window_end=NOW, **hold)
    shown = job_view(public_document(job), NOW, answer_hours=4)
    assert shown["next"] == "We have paused this job, and will get in touch about a new time."
    assert (shown["late"], shown["window"]) == (False, "")
    assert "booked" not in shown["hello"]
    assert "key" not in str(shown)
    assert shown["when"] == "On hold until we agree on a time"


MORNING, NOON = window(at(22, 18), at(22, 20)), window(at(22, 20, 30), at(22, 22))
SENTENCES = [
    ({}, "We\u2019ll confirm your time soon", "Pronto le confirmamos su horario"),
    ({"window": MORNING}, "Tomorrow between 9 and 11 AM", "Mañana de 9 a 11 a. m."),
    (
        {"window": NOON, "status": "scheduled"},
        "Tomorrow between 11:30 AM and 1 PM",
        "Mañana de 11:30 a. m. a 1 p. m.",
    ),
    (
        {"window": window(at(25, 18), at(25, 20)), "status": "ready_for_pickup"},
        "Wednesday, Nov 25 between 9 and 11 AM",
        "Miércoles 25 de noviembre de 9 a 11 a. m.",
    ),
    (
        {"window": window(at(22, 18), at(24, 20)), "status": "scheduled"},
        "Tomorrow, 9:00 AM \u2013 Tuesday, Nov 24, 11:00 AM",
        "Mañana, 9:00 a. m. \u2013 martes 24 de noviembre, 11:00 a. m.",
    ),
    (
        {"window": window(at(21, 17), at(21, 19)), "status": "scheduled"},
        "Running late, but still coming",
        "Vamos con retraso, pero llegamos",
    ),
    (
        {"window": window(at(21, 17), at(21, 19)), "status": "en_route"},
        "The crew is on the way",
        "El equipo va en camino",
    ),
    ({"status": "in_progress"}, "The crew is here", "El equipo ya llegó"),
    (
        {"on_hold": True},
        "On hold until we agree on a time",
        "En pausa hasta que acordemos un horario",
    ),
    (
        {"window": MORNING, "status": "ready_for_pickup", "placed": True},
        "Pickup tomorrow between 9 and 11 AM",
        "Recogida mañana de 9 a 11 a. m.",
    ),
    (ended("completed", "Completed"), "Done yesterday", "Terminado ayer"),
    (
        ended("cancelled", "Cancelled", cancelled_by="customer"),
        "You cancelled yesterday",
        "Usted canceló ayer",
    ),
    (
        ended("cancelled", "Cancelled", cancelled_by="firm"),
        "We had to cancel yesterday",
        "Tuvimos que cancelar ayer",
    ),
    (ended("cancelled", "Cancelled", cancelled_by=None), "Cancelled yesterday", "Cancelado ayer"),
]  # fmt: skip


@pytest.mark.parametrize(("values", "english", "spanish"), SENTENCES)
def test_one_sentence_says_when(values, english, spanish):
    assert shown(**values)["when"] == english
    assert shown("es", **values)["when"].replace("\xa0", " ") == spanish


def test_dumpster_on_site_waits_for_its_customer():
    job = make_job(service="dumpster-10", status=Status.ON_SITE)
    words = job_view(public_document(job), NOW, answer_hours=4)
    assert words["when"] == "We pick it up when you say it\u2019s full"


def test_earlier_day_has_its_date_within_the_sentence():
    flow = [{"code": "completed", "label": "Completed", "at": "2026-11-17T20:00:00Z"}]
    done = {"status": "completed", "flow": flow}
    assert shown(**done)["when"] == "Done on Tuesday, Nov 17"
    assert shown("es", **done)["when"] == "Terminado el martes 17 de noviembre"


def test_price_question_has_both_prices():
    question = {"from": "$300 all-in", "to": "$400 all-in"}
    assert "from $300 all-in to $400 all-in" in shown(price_question=question)["question"]
    assert shown(price_question=None)["question"] == ""


def test_receipt_has_what_was_done_and_no_more():
    job = make_job(status=Status.COMPLETED)
    words = job_view(public_document(job, is_receipt=True), NOW, answer_hours=4)
    assert words["is_receipt"]
    assert (words["window"], words["question"], words["late"]) == ("", "", False)


def test_documents_of_earlier_releases_are_shown():
    """They lack the newer fields."""
    document = public_document(make_job(status=Status.CANCELLED))
    for name in ("lang", "placed", "cancelled_by", "price_question"):
        del document[name]
    assert job_view(document, NOW, answer_hours=4)["when"].startswith("Cancelled")


def test_script_has_the_same_texts_in_both_languages():
    texts = track_context()["data"]["texts"]
    assert set(texts) == {"en", "es"}
    assert texts["en"].keys() == texts["es"].keys()
    assert texts["en"]["statuses"].keys() == texts["es"]["statuses"].keys()
