"""What is beside the board: the panel of a job, the search, and the run sheet."""

from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from django.contrib.auth.models import Permission, User
from django.utils import timezone

from dispatch.changing import change_details, move_job, set_price
from dispatch.models import Photo, RequestedWindow
from dispatch.prices import parse_price
from dispatch.runs import assign
from dispatch.statuses import Status
from dispatch.visits import Failure, fail_visit
from notifications.kinds import State
from tests.builders import make_crew, make_customer, make_job, make_planned_job, make_window
from tests.notifications.builders import make_message
from tracking.links import ensure_link, tracking_url

pytestmark = pytest.mark.django_db
# 13:00 in Denver on Friday, 20 November.
NOW = datetime(2026, 11, 20, 20, tzinfo=UTC)
TODAY = date(2026, 11, 20)
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def viewer(client):
    """A client of staff who may look at jobs and not change them."""
    user = User.objects.create_user("vera", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_job"))
    client.force_login(user)
    return client


def panel(client, job):
    answer = client.get(f"/api/board/jobs/{job.pk}")
    assert answer.status_code == 200
    return answer.json()


# The panel


def test_panel_has_all_of_the_job(desk):
    job = make_planned_job(
        status=Status.SCHEDULED,
        details="A sofa\nand a fridge",
        access_notes="Gate 4711",
        unit="Unit 2",
    )
    change_details(job=job, changes={"town": "North Pole"}, actor="dana", reason="typo")
    set_price(job=job, price=parse_price("340"), actor="olga", reason="less")
    Photo.objects.create(
        job=job,
        stage=Photo.Stage.BEFORE,
        large="photos/a.jpg",
        small="photos/b.jpg",
        width=1,
        height=1,
        actor="crew",
    )
    message = make_message(job=job, state=State.FAILED)
    asked, free = make_window(NOW + 20 * HOUR), make_window(NOW + 24 * HOUR)
    RequestedWindow.objects.create(job=job, window=asked, rank=1)
    link = ensure_link(job=job, actor="dana")
    shown = panel(desk, job)
    assert shown["card"]["id"] == job.pk
    assert shown["address"] == "1423 Soderblom Avenue, Unit 2, North Pole, 99709"
    assert shown["map"].endswith("query=1423+Soderblom+Avenue%2C+Unit+2%2C+North+Pole%2C+99709")
    assert (shown["details"], shown["access_notes"]) == ("A sofa\nand a fridge", "Gate 4711")
    assert shown["photos"] == [
        {"large": "/media/photos/a.jpg", "small": "/media/photos/b.jpg", "stage": "before"}
    ]
    now = timezone.localtime(NOW).isoformat()
    assert shown["prices"] == [
        {"text": "$340 all-in", "at": now, "actor": "olga", "reason": "less"},
        {"text": "$600 all-in", "at": now, "actor": "test", "reason": ""},
    ]
    assert [(one["text"], one["actor"], one["reason"]) for one in shown["events"]] == [
        ("Price: $600 all-in → $340 all-in", "olga", "less"),
        ("Town: Fairbanks → North Pole", "dana", "typo"),
        ("Booked", "test", ""),
    ]
    (sent,) = [one for one in shown["messages"] if one["state"] == State.FAILED.label]
    assert sent["url"] == f"/admin/notifications/message/{message.pk}/change/"
    assert shown["links"] == {"track": tracking_url(link)}
    assert [one["id"] for one in shown["windows"]] == [asked.pk, free.pk]
    assert shown["requested"] == "Sat Nov 21, 9 a.m. to 11 a.m."


def test_panel_says_what_a_visit_was(desk):
    job = make_planned_job(status=Status.EN_ROUTE)
    fail_visit(job=job, why=Failure.NO_ACCESS, actor="crew", note="locked")
    newest = panel(desk, job)["events"][0]
    assert "Crew on the way → Scheduled" in newest["text"]
    assert "We could not get in" in newest["text"]
    assert newest["reason"] == "locked"


def test_panel_of_those_who_only_look_has_no_secrets(viewer):
    job = make_job(access_notes="Gate 4711")
    make_window(NOW + 20 * HOUR)
    link = ensure_link(job=job, actor="dana")
    shown = panel(viewer, job)
    assert (shown["access_notes"], shown["links"], shown["windows"]) == ("", {"track": None}, [])
    assert link.token not in str(shown)


def test_panel_takes_as_many_queries_on_a_long_history(desk, django_assert_max_num_queries):
    def count():
        with django_assert_max_num_queries(15) as queries:
            panel(desk, job)
        return len(queries)

    job = make_planned_job()
    panel(desk, job)  # makes the windows of the next weeks
    few = count()
    for cents in range(400, 405):
        set_price(job=job, price=parse_price(str(cents)), actor="dana", reason="again")
        make_message(job=job, key=str(cents))
    assert count() == few


@pytest.mark.parametrize("pk", [99, 10**30])
def test_panel_of_an_unknown_job(desk, pk):
    answer = desk.get(f"/api/board/jobs/{pk}")
    assert (answer.status_code, answer.json()["code"]) == (404, "job-unknown")


@pytest.mark.parametrize("path", ["/api/board/jobs/1", "/api/board/search?q=ann"])
def test_strangers_get_401(client, path):
    assert client.get(path).status_code == 401


# The search


def search(client, text):
    return client.get("/api/board/search", {"q": text}).json()


def test_search_finds_jobs_of_any_day(desk):
    customer = make_customer(name="Ann Berg", phone="+19075550142")
    old = make_job(customer=customer, status=Status.COMPLETED)
    new = make_planned_job(customer=customer, status=Status.SCHEDULED)
    make_job()
    found = search(desk, "ann berg")
    assert (found["q"], found["corrected"]) == ("ann berg", None)
    assert [one["id"] for one in found["results"]] == [new.pk, old.pk]
    assert found["results"][0] == {
        "id": new.pk,
        "number": new.label,
        "name": "Ann Berg",
        "phone_text": "(907) 555-0142",
        "address": "1423 Soderblom Avenue, Fairbanks, 99709",
        "status_label": "Scheduled",
        "window_text": "Fri Nov 20, noon to 2 p.m.",
        "url": f"/admin/dispatch/job/{new.pk}/change/",
    }
    assert [one["id"] for one in search(desk, "555-0142")["results"]] == [new.pk, old.pk]


def test_search_finds_at_most_twenty(desk):
    for _ in range(22):
        make_job()
    assert len(search(desk, "Soderblom")["results"]) == 20


@pytest.mark.parametrize("text", ["", "  ", "\x00", "nothing like it"])
def test_search_without_a_result(desk, text):
    make_job()
    assert search(desk, text)["results"] == []


def test_search_takes_as_many_queries_for_many_results(desk, django_assert_max_num_queries):
    def count():
        with django_assert_max_num_queries(15) as queries:
            search(desk, "Soderblom")
        return len(queries)

    make_job()
    few = count()
    for _ in range(5):
        make_planned_job()
    assert count() == few


# The run sheet


def sheet(client, crew, day="2026-11-20"):
    return client.get(f"/admin/run-sheet/{crew.pk}/{day}/")


def test_run_sheet_is_the_run_in_order(desk):
    crew = make_crew(name="Birch")
    times = {"window_start": NOW, "window_end": NOW + 2 * HOUR}
    first = make_planned_job(
        crew=crew,
        status=Status.SCHEDULED,
        contact_name="Ann Berg",
        access_notes="Gate 4711",
        details="A sofa",
        **times,
    )
    second = make_job(crew=crew, status=Status.SCHEDULED, contact_name="Bo Lund", **times)
    make_job(crew=make_crew(), status=Status.SCHEDULED, contact_name="Cy Moe", **times)
    assign(job=second, crew=crew, day=TODAY, actor="dana", before=first.pk)
    answer = sheet(desk, crew)
    page = answer.content.decode()
    assert page.index("Bo Lund") < page.index("Ann Berg")
    for text in ("Birch", "Friday, November 20, 2026", "2 jobs", "1 p.m. to 3 p.m.", "Gate 4711"):
        assert text in page
    for text in ("A sofa", "$600 all-in", "No price yet", f"tel:{first.customer.e164}"):
        assert text in page
    assert "Cy Moe" not in page
    assert answer["X-Robots-Tag"] == "noindex"
    assert "no-store" in answer["Cache-Control"]


def test_run_sheet_has_no_gate_code_of_a_job_that_is_done(desk):
    crew = make_crew()
    job = make_planned_job(crew=crew, status=Status.IN_PROGRESS, access_notes="Gate 4711")
    move_job(job=job, to=Status.COMPLETED, actor="dana")
    page = sheet(desk, crew).content.decode()
    assert job.label in page
    assert "Gate 4711" not in page


def test_run_sheet_of_those_who_only_look_has_no_gate_codes(viewer):
    crew = make_crew()
    make_planned_job(crew=crew, status=Status.SCHEDULED, access_notes="Gate 4711")
    page = sheet(viewer, crew).content.decode()
    assert "QDN-" in page
    assert "Gate 4711" not in page


def test_run_sheet_without_jobs(desk):
    page = sheet(desk, make_crew(), "2026-11-25").content.decode()
    assert "no jobs on this day" in page


def test_run_sheet_takes_as_many_queries_for_many_jobs(desk, django_assert_max_num_queries):
    def count():
        with django_assert_max_num_queries(15) as queries:
            sheet(desk, crew)
        return len(queries)

    crew = make_crew()
    make_planned_job(crew=crew, status=Status.SCHEDULED)
    few = count()
    for _ in range(5):
        make_planned_job(crew=crew, status=Status.SCHEDULED)
    assert count() == few


def test_run_sheet_is_for_staff_who_may_view_jobs(client):
    crew = make_crew()
    answer = sheet(client, crew)
    assert (answer.status_code, answer["Location"].partition("?")[0]) == (302, "/admin/login/")
    client.force_login(User.objects.create_user("guest", is_staff=True))
    assert sheet(client, crew).status_code == 403


@pytest.mark.parametrize("day", ["today", "2026-02-30", "20261120"])
def test_run_sheet_of_a_day_that_is_none(desk, day):
    assert sheet(desk, make_crew(), day).status_code == 404


def test_run_sheet_of_an_unknown_crew(desk):
    assert desk.get("/admin/run-sheet/99/2026-11-20/").status_code == 404
