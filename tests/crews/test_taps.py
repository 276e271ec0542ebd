"""What a crew can tap: each act, why it is refused, and that it counts once."""

import json
from datetime import datetime, timedelta
from uuid import uuid4

import pytest
import time_machine
from django.test import Client

from crews.links import revoke_link
from dispatch.changing import change_details, move_job
from dispatch.models import Job, JobEvent, Photo
from dispatch.price_questions import question_of
from dispatch.statuses import Status
from tests.builders import make_crew
from tests.crews.builders import make_link, make_stop, tap, told
from tests.photo_files import jpeg

pytestmark = pytest.mark.django_db
NOW = datetime.fromisoformat("2026-11-23T10:30:00-07:00")
JSON = "application/json"


@pytest.fixture(autouse=True)
def a_monday_morning():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def link():
    return make_link()


def post(link, *taps, **headers):
    """Send taps; return what became of each."""
    body = json.dumps({"taps": taps})
    path = f"/crew/{link.token}/taps"
    answer = Client().post(path, body, content_type=JSON, headers=headers)
    assert answer.status_code == 200, answer.content
    return answer.json()["results"]


def results(link, *taps):
    return [one["result"] for one in post(link, *taps)]


def words(link, one):
    """Send a tap that is refused; return why."""
    (answer,) = post(link, one)
    assert answer["result"] == "refused"
    return answer["words"]


def reread(job):
    return Job.objects.get(pk=job.pk)


# The acts


def test_run_of_a_job_in_one_batch(link):
    job = make_stop(link)
    acts = ["on_the_way", "arrived", "loading", "done"]
    sent = [
        tap(job, act, at=(NOW - timedelta(minutes=30 - place)).isoformat())
        for place, act in enumerate(acts)
    ]
    make_link(link.crew)
    link.created_at = NOW - timedelta(hours=4)
    link.save()
    assert results(link, *sent) == ["done"] * 4
    assert reread(job).status == Status.COMPLETED
    assert reread(job).arrived_at == NOW - timedelta(minutes=29)
    by_key = {str(event.key): event for event in told(job) if event.key}
    assert [by_key[one["key"]].tapped_at.isoformat() for one in sent] == [
        datetime.fromisoformat(one["at"])
        .astimezone(by_key[one["key"]].tapped_at.tzinfo)
        .isoformat()
        for one in sent
    ]
    assert {event.actor for event in told(job)} == {f"crew: {link.crew.name}"}
    assert [event.status for event in told(job)] == [
        "ready_for_pickup", "en_route", "en_route", "in_progress", "completed",
    ]  # fmt: skip


def test_delay_is_reported_and_taken_back(link):
    job = make_stop(link)
    assert results(link, tap(job, "late", minutes=30)) == ["done"]
    assert reread(job).late_by == 30
    assert results(link, tap(job, "late", minutes="0")) == ["done"]
    assert reread(job).late_by == 0
    assert "read" in words(link, tap(job, "late", minutes=7))
    assert "read" in words(link, tap(job, "late"))


def test_failed_visit_keeps_reason_and_note(link):
    job = make_stop(link, status="en_route")
    assert results(link, tap(job, "failed", why="no_access", note="Gate locked")) == ["done"]
    assert reread(job).status == Status.SCHEDULED
    (event,) = told(job)
    assert (event.kind, event.changes["visit"], event.reason) == (
        "visit",
        ["", "no_access"],
        "Gate locked",
    )


def test_another_reason_needs_a_note(link):
    job = make_stop(link, status="en_route")
    assert "what happened" in words(link, tap(job, "failed", why="other"))
    assert "read" in words(link, tap(job, "failed", why="bored"))
    assert told(job) == []


def test_dumpster_is_delivered_and_stays_on_the_page(link, client):
    job = make_stop(link, service="dumpster-10", access_notes="Gate 7781")
    assert "was not counted" in words(link, tap(job, "on_the_way"))
    assert results(link, tap(job, "delivered")) == ["done"]
    assert reread(job).status == Status.ON_SITE
    page = client.get(f"/crew/{link.token}/").content.decode()
    assert 'data-state="delivered"' in page
    assert "7781" not in page


def test_dumpster_that_could_not_be_delivered_stays_scheduled(link):
    job = make_stop(link, service="dumpster-10")
    assert results(link, tap(job, "failed", why="no_access")) == ["done"]
    (event,) = told(job)
    assert (event.status, event.changes) == ("scheduled", {"visit": ["", "no_access"]})


def test_dumpster_on_site_is_fetched(link):
    job = make_stop(link, service="dumpster-10", status="on_site")
    assert "was not counted" in words(link, tap(job, "delivered"))
    assert results(link, tap(job, "on_the_way"), tap(job, "loading")) == ["done"] * 2
    assert reread(job).status == Status.IN_PROGRESS


def test_price_change_asks_the_customer(link, client):
    job = make_stop(link, status="in_progress")
    one = tap(job, "price", price="725", note="A piano too")
    assert results(link, one) == ["done"]
    question = question_of(reread(job))
    assert (str(question.before), str(question.price)) == ("$600 all-in", "$725 all-in")
    (event,) = told(job)
    assert (event.reason, str(event.key)) == ("A piano too", one["key"])
    assert "has not accepted" in client.get(f"/crew/{link.token}/").content.decode()


@pytest.mark.parametrize(("price", "note"), [("lots", "x"), ("725", ""), ("", "x"), ("0", "x")])
def test_unusable_price_is_refused(link, price, note):
    job = make_stop(link, status="in_progress")
    assert "It was not saved" in words(link, tap(job, "price", price=price, note=note))
    assert job.prices.count() == 1


def test_price_of_a_closed_job_stays(link):
    job = make_stop(link, status="completed")
    assert "was not counted" in words(link, tap(job, "price", price="1", note="x"))


# Photos


def send_photos(link, job, *files, **values):
    data = {"act": "photo", "job": job.pk, "key": str(uuid4()), "photos": files, **values}
    return Client().post(f"/crew/{link.token}/photos/", data, headers={"Accept": JSON})


def picture(name="a.jpg"):
    from django.core.files.uploadedfile import SimpleUploadedFile  # noqa: PLC0415

    return SimpleUploadedFile(name, jpeg(), content_type="image/jpeg")


def test_photos_before_and_after_count_by_themselves(link):
    job = make_stop(link)
    for stage in ("before", "after"):
        answer = send_photos(link, job, *(picture() for _ in range(6)), stage=stage)
        assert answer.json()["results"][0]["result"] == "done"
    assert Photo.objects.filter(job=job, stage="before").count() == 6
    assert Photo.objects.filter(job=job, stage="after").count() == 6
    (refused,) = send_photos(link, job, picture(), stage="after").json()["results"]
    assert (refused["result"], refused["words"]) == (
        "refused",
        "This job has six photos of that kind already.",
    )


def test_photo_sent_twice_is_there_once(link):
    job, key = make_stop(link, status="completed"), str(uuid4())
    found = [send_photos(link, job, picture(), stage="after", key=key).json() for _ in range(2)]
    assert [one["results"][0]["result"] for one in found] == ["done", "repeated"]
    assert Photo.objects.get(job=job).actor == f"crew: {link.crew.name}"
    assert str(told(job)[0].key) == key


def test_file_that_is_no_photo_is_refused_by_name(link):
    from django.core.files.uploadedfile import SimpleUploadedFile  # noqa: PLC0415

    job = make_stop(link)
    (refused,) = send_photos(link, job, SimpleUploadedFile("a.jpg", b"no")).json()["results"]
    assert "a.jpg" in refused["words"]
    (refused,) = send_photos(link, job).json()["results"]
    assert refused["words"] == "Choose a photo first."


def test_failed_visit_with_its_photo_is_one_form(link):
    job, key = make_stop(link, status="en_route"), str(uuid4())
    for _ in range(2):
        done = Client().post(
            f"/crew/{link.token}/photos/",
            {"act": "failed", "job": job.pk, "key": key, "why": "unsafe", "photos": [picture()]},
        )
        assert (done.status_code, done["Location"]) == (
            303,
            f"/crew/{link.token}/#job-{job.pk}",
        )
    assert Photo.objects.filter(job=job).count() == 1
    assert [event.kind for event in told(job)] == ["visit", "details"]


def test_photo_of_a_refused_tap_is_not_stored(link):
    job = make_stop(link)  # not on the way, so no visit can fail
    data = {"act": "failed", "job": job.pk, "key": str(uuid4()), "why": "unsafe"}
    page = Client().post(f"/crew/{link.token}/photos/", data | {"photos": [picture()]})
    assert page.status_code == 422
    assert not Photo.objects.exists()


# Refusals


def test_office_cancelled_meanwhile(link):
    job = make_stop(link, status="en_route")
    move_job(job=job, to=Status.CANCELLED, actor="dana", side="customer", reason="Moved")
    assert words(link, tap(job, "loading")) == "The office cancelled this job. Do not go there."
    page = Client().get(f"/crew/{link.token}/").content.decode()
    assert "The office cancelled this job" in page


def test_cancelled_job_is_told_in_spanish(link):
    job = make_stop(link, status="en_route")
    move_job(job=job, to=Status.CANCELLED, actor="dana", side="customer", reason="Moved")
    (answer,) = post(link, tap(job, "loading"), **{"Accept-Language": "es"})
    assert answer["words"] == "La oficina canceló este trabajo. No vaya."


def test_held_job_says_so(link):
    job = make_stop(link, on_hold=True, hold_reason="Waits for a permit")
    assert words(link, tap(job, "on_the_way")) == "This job is on hold. Call the office."


def test_job_without_a_final_price_cannot_end(link):
    job = make_stop(link, status="in_progress", priced=False)
    assert "no final price" in words(link, tap(job, "done"))


def test_job_that_was_given_to_another_crew_is_as_unknown(link):
    job = make_stop(link)
    change_details(job=job, changes={"crew": make_crew()}, actor="dana")
    given_away = words(link, tap(job, "on_the_way"))
    job.pk = 10**9
    assert given_away == words(link, tap(job, "on_the_way"))
    assert Job.objects.get().status == "scheduled"


def test_job_of_another_day_is_as_unknown(link):
    tomorrow = make_link(link.crew, link.day + timedelta(days=1))
    job = make_stop(tomorrow)
    assert "not on your run" in words(link, tap(job, "on_the_way"))


def test_request_must_be_confirmed_first(link):
    job = make_stop(link, status="requested")
    assert "Requested" in words(link, tap(job, "on_the_way"))


def test_tap_the_other_phone_was_faster_with_is_no_refusal(link):
    job = make_stop(link, status="en_route")
    assert results(link, tap(job, "on_the_way")) == ["repeated"]


def test_one_refusal_does_not_stop_the_rest(link):
    held, job = make_stop(link, on_hold=True, hold_reason="Permit"), make_stop(link)
    sent = tap(held, "on_the_way"), tap(job, "on_the_way"), tap(job, "nothing"), tap(job, "arrived")
    assert results(link, *sent) == ["refused", "done", "refused", "done"]


@pytest.mark.parametrize(
    "body",
    [
        "",
        "[]",
        "{}",
        '{"taps": 1}',
        '{"taps": [1]}',
        '{"taps": [{"key": "x"}]}',
        "[" * 5000,
        "\xff",
    ],
)
def test_unreadable_batch_is_refused_whole(link, body):
    path = f"/crew/{link.token}/taps"
    answer = Client().post(path, body.encode("latin-1"), content_type=JSON)
    assert answer.status_code == 400
    assert answer.json().keys() == {"code", "error", "hint"}


def test_form_in_place_of_a_batch_is_refused(link):
    answer = Client().post(f"/crew/{link.token}/taps", {"taps": "x"})
    assert answer.status_code == 400


def test_batch_has_an_end(link):
    job = make_stop(link)
    body = json.dumps({"taps": [tap(job, "late", minutes=15) for _ in range(101)]})
    answer = Client().post(f"/crew/{link.token}/taps", body, content_type=JSON)
    assert answer.status_code == 400


def test_odd_values_are_refused_not_failed(link):
    job = make_stop(link)
    for odd in (
        {"job": "9" * 18}, {"job": -1}, {"job": None}, {"job": [1]}, {"act": {}}, {"act": "\0"},
        {"act": "late", "minutes": "9" * 400}, {"act": "failed", "why": "\0"},
    ):  # fmt: skip
        assert results(link, tap(job, "arrived") | odd) == ["refused"]
    fine = {"note": "a\0b", "why": "unsafe", "act": "failed"}
    Job.objects.filter(pk=job.pk).update(status="en_route")
    assert results(link, tap(job, "failed") | fine) == ["done"]


# The time of a tap


@pytest.mark.parametrize(
    ("at", "kept"),
    [
        (NOW - timedelta(minutes=20), True),
        (NOW + timedelta(minutes=1), True),  # as now: phones' clocks differ
        (NOW + timedelta(minutes=5), False),
        (NOW - timedelta(hours=2), False),  # there was no link
        ("2026-11-23T10:20:00", False),  # of which zone?
        ("soon", False),
        ("2026-13-45T10:20:00Z", False),
        (None, False),
    ],
)
def test_time_of_a_tap_is_checked_and_work_is_never_lost(link, at, kept):
    link.created_at = NOW - timedelta(hours=1)
    link.save()
    job = make_stop(link)
    text = at.isoformat() if isinstance(at, datetime) else at
    assert results(link, tap(job, "late", minutes=15, at=text)) == ["done"]
    (event,) = told(job)
    assert event.tapped_at == (min(at, NOW) if kept else None)


def test_time_before_a_link_was_replaced_counts(link):
    job = make_stop(link)
    with time_machine.travel(NOW + timedelta(hours=2), tick=False):
        revoke_link(crew=link.crew, day=link.day, actor="dana")
        again = make_link(link.crew)
        assert results(again, tap(job, "late", minutes=15, at=NOW.isoformat())) == ["done"]
    assert told(job)[0].tapped_at == NOW


def test_run_can_be_ended_after_midnight(link):
    job = make_stop(link)
    with time_machine.travel(NOW.replace(day=24, hour=1), tick=False):
        assert (
            results(link, *(tap(job, act) for act in ("on_the_way", "loading", "done")))
            == ["done"] * 3
        )
    assert reread(job).status == Status.COMPLETED


# Once


def test_same_batch_twice_counts_once(link):
    job = make_stop(link)
    sent = [tap(job, act) for act in ("on_the_way", "arrived", "loading", "done")]
    assert results(link, *sent) == ["done"] * 4
    count = JobEvent.objects.count()
    assert results(link, *sent) == ["repeated"] * 4
    assert JobEvent.objects.count() == count


def test_key_of_another_job_is_repeated_and_changes_nothing(link):
    one, two = make_stop(link), make_stop(link)
    first = tap(one, "late", minutes=15)
    assert results(link, first, tap(two, "late", minutes=15, key=first["key"])) == [
        "done",
        "repeated",
    ]
    assert reread(two).late_by == 0


def test_same_batch_24_times_at_once_counts_once(together):
    link = make_link()
    job = make_stop(link)
    sent = [tap(job, act) for act in ("on_the_way", "arrived", "loading", "done")]
    found = together(lambda: results(link, *sent), 24)
    assert {one for result in found for one in result} <= {"done", "repeated"}, found
    keys = [str(event.key) for event in told(job) if event.key]
    assert keys == [one["key"] for one in sent]  # each once, in order
    assert [event.status for event in told(job)] == [
        "ready_for_pickup", "en_route", "en_route", "in_progress", "completed",
    ]  # fmt: skip


def test_same_photo_12_times_at_once_is_there_once(together):
    link = make_link()
    job, key = make_stop(link), str(uuid4())
    together(lambda: send_photos(link, job, picture(), key=key), 12)
    assert Photo.objects.filter(job=job).count() == 1


# Forms without JavaScript


def test_form_leads_back_to_the_job(link):
    job = make_stop(link)
    answer = Client().post(f"/crew/{link.token}/", tap(job, "on_the_way"))
    assert (answer.status_code, answer["Location"]) == (303, f"/crew/{link.token}/#job-{job.pk}")
    assert reread(job).status == Status.EN_ROUTE


def test_form_that_is_refused_shows_why_above_the_run(link):
    job = make_stop(link, on_hold=True, hold_reason="Permit")
    answer = Client().post(f"/crew/{link.token}/", tap(job, "on_the_way"))
    assert answer.status_code == 422
    assert f"{job.label}: This job is on hold. Call the office." in answer.content.decode()


@pytest.mark.parametrize("path", ["", "photos/"])
def test_form_without_a_key_is_refused(link, path):
    job = make_stop(link)
    answer = Client().post(f"/crew/{link.token}/{path}", tap(job, "on_the_way", key="x"))
    assert answer.status_code == 422
    assert reread(job).status == "scheduled"


@pytest.mark.parametrize(
    "headers",
    [{"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "none"}, {"Origin": "https://x.example"}],
)
@pytest.mark.parametrize("path", ["", "taps", "photos/"])
def test_post_of_another_site_is_refused(link, headers, path):
    job = make_stop(link)
    answer = Client(enforce_csrf_checks=True).post(
        f"/crew/{link.token}/{path}", tap(job, "on_the_way"), headers=headers
    )
    assert answer.status_code == 403
    assert reread(job).status == "scheduled"


def test_own_page_needs_no_cookie(link):
    job = make_stop(link)
    answer = Client(enforce_csrf_checks=True).post(
        f"/crew/{link.token}/",
        tap(job, "on_the_way"),
        headers={"Sec-Fetch-Site": "same-origin"},
    )
    assert answer.status_code == 303
    assert reread(job).status == Status.EN_ROUTE
