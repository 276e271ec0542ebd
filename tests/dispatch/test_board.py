"""The board's document: its jobs and columns, and who may read it."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.contrib.auth.models import User
from django.urls import reverse

from dispatch.models import Job
from dispatch.statuses import FLOW, Status
from tests.builders import make_crew, make_job, make_price

pytestmark = pytest.mark.django_db
# 13:00 in Denver on 20 November.
NOW = datetime(2026, 11, 20, 20, tzinfo=UTC)
HOUR = timedelta(hours=1)
NAMES = {"number", "name", "first_name", "town", "service", "window", "crew", "price"} | {
    "on_hold",
    "hold_reason",
    "late",
    "url",
}


@pytest.fixture
def board(desk):
    with time_machine.travel(NOW, tick=False):
        yield lambda: desk.get("/api/board").json()


def window(start, hours=2):
    return {"window_start": start, "window_end": start + hours * HOUR}


def test_board_lists_today_by_status(board):
    crew = make_crew(name="Birch")
    job = make_job(status=Status.SCHEDULED, crew=crew, contact_name="Mark Ames", **window(NOW))
    make_price(job)
    document = board()
    assert (document["v"], document["date"]) == (1, "2026-11-20")
    assert [column["status"] for column in document["columns"]] == [
        status.value for status in FLOW if status != Status.CANCELLED
    ]
    (card,) = document["columns"][1]["jobs"]
    assert set(card) == NAMES
    assert card["number"] == job.label
    assert (card["first_name"], card["crew"], card["price"]) == ("Mark", "Birch", "$600 all-in")
    assert card["window"] == {
        "start": "2026-11-20T13:00:00-07:00",
        "end": "2026-11-20T15:00:00-07:00",
    }
    assert card["url"] == reverse("admin:dispatch_job_change", args=[job.pk])
    assert not card["late"]


def test_board_flags_late_jobs(board):
    job = make_job(status=Status.READY_FOR_PICKUP, **window(NOW - 2 * HOUR))
    make_job(status=Status.IN_PROGRESS, **window(NOW - 2 * HOUR))
    columns = board()["columns"]
    late = [card["number"] for column in columns for card in column["jobs"] if card["late"]]
    assert late == [job.label]


@pytest.mark.parametrize(
    ("status", "start", "shown"),
    [
        (Status.SCHEDULED, NOW, True),
        (Status.SCHEDULED, NOW + 24 * HOUR, False),
        (Status.SCHEDULED, NOW - 24 * HOUR, True),  # late since yesterday
        (Status.SCHEDULED, datetime(2026, 11, 20, 7, tzinfo=UTC), True),  # local midnight
        (Status.SCHEDULED, datetime(2026, 11, 21, 7, tzinfo=UTC), False),  # the next one
        (Status.SCHEDULED, None, False),
        (Status.REQUESTED, None, True),
        (Status.READY_FOR_PICKUP, None, True),
        (Status.READY_FOR_PICKUP, NOW + 24 * HOUR, False),
        (Status.EN_ROUTE, None, True),
        (Status.IN_PROGRESS, NOW - 24 * HOUR, True),
        (Status.COMPLETED, NOW - 4 * HOUR, True),
        (Status.COMPLETED, NOW - 24 * HOUR, False),
        (Status.COMPLETED, None, False),
        (Status.CANCELLED, NOW, False),
    ],
)
def test_jobs_on_todays_board(status, start, shown):
    make_job(status=status, **(window(start) if start else {}))
    assert Job.objects.today(NOW).exists() == shown


def test_job_and_queryset_agree_on_late():
    for status in Status:
        for start in (NOW - 2 * HOUR, NOW - HOUR):
            make_job(status=status, **window(start))
    assert {job.pk for job in Job.objects.all() if job.is_late(NOW)} == set(
        Job.objects.late(NOW).values_list("pk", flat=True)
    )


def test_board_takes_the_same_number_of_queries_for_many_jobs(board, django_assert_num_queries):
    for _ in range(8):
        make_price(make_job(status=Status.SCHEDULED, crew=make_crew(), **window(NOW)))
    with django_assert_num_queries(6):  # session, user, two for permissions, jobs, prices
        board()


def test_board_is_not_stored(desk):
    response = desk.get("/api/board")
    assert "no-store" in response["Cache-Control"]


def test_anonymous_user_gets_401_and_the_login_url(client):
    response = client.get("/api/board")
    assert response.status_code == 401
    assert response.json()["login"] == "/admin/login/?next=/dashboard/"
    assert "no-store" in response["Cache-Control"]


def test_staff_without_permission_gets_401(client):
    client.force_login(User.objects.create_user("guest", is_staff=True))
    assert client.get("/api/board").status_code == 401


def test_board_is_read_only(client):
    assert client.post("/api/board").status_code == 405
