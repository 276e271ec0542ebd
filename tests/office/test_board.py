"""The board's document: its jobs, columns and cards, and who may read it."""

from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from django.contrib.auth.models import User
from django.urls import reverse

from dispatch.changing import change_details, move_job, set_price
from dispatch.models import Job
from dispatch.prices import parse_price
from dispatch.runs import assign
from dispatch.statuses import Status
from tests.builders import make_crew, make_customer, make_job, make_price, make_window
from tests.office.board import BOARD, column, places, read

pytestmark = pytest.mark.django_db
# 13:00 in Denver on Friday, 20 November.
NOW = datetime(2026, 11, 20, 20, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = 24 * HOUR


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


def window(start, hours=2):
    return {"window_start": start, "window_end": start + hours * HOUR}


def place_of(desk, job, day=None):
    return places(read(desk, day)).get(job.pk)


# Cards


def test_card_has_what_a_dispatcher_needs(desk):
    crew = make_crew(name="Birch")
    customer = make_customer(name="Ann Berg", phone="+19075550142", email="ann@example.com")
    job = make_job(
        status=Status.SCHEDULED,
        crew=crew,
        customer=customer,
        address_line="12 Chena Ridge Rd",
        unit="Unit 2",
        load_size=Job.LoadSize.HALF,
        **window(NOW),
    )
    set_price(job=job, price=parse_price("340"), actor="dana")
    card = read(desk)["cards"][str(job.pk)]
    steps = [step["to"] for step in card.pop("next")]
    assert card == {
        "id": job.pk,
        "number": job.label,
        "revision": 2,
        "status": "scheduled",
        "status_label": "Scheduled",
        "name": "Ann Berg",
        "phone": "+19075550142",
        "phone_text": "(907) 555-0142",
        "email": "ann@example.com",
        "street": "12 Chena Ridge Rd, Unit 2",
        "town": "Fairbanks",
        "zip": "99709",
        "service": "Junk removal",
        "size": "Half a truck",
        "units": 4,
        "price": "$340 all-in",
        "window": {"start": "2026-11-20T13:00:00-07:00", "end": "2026-11-20T15:00:00-07:00"},
        "outside_windows": True,
        "crew": crew.pk,
        "late": False,
        "late_by": 0,
        "arrived": None,
        "on_hold": False,
        "hold_reason": "",
        "days_out": None,
        "due_on": None,
        "due_back": False,
        "back": None,
        "may_cancel": True,
        "url": reverse("admin:dispatch_job_change", args=[job.pk]) + "?next=/dashboard/2026-11-20/",
    }
    assert steps == ["en_route", "ready_for_pickup", "in_progress", "completed"]


def test_customer_without_a_phone(desk):
    job = make_job(customer=make_customer(phone=None))
    card = read(desk)["cards"][str(job.pk)]
    assert (card["phone"], card["phone_text"], card["window"]) == (None, "", None)


def test_late_jobs_are_flagged(desk):
    late = make_job(status=Status.READY_FOR_PICKUP, **window(NOW - 2 * HOUR))
    make_job(status=Status.IN_PROGRESS, **window(NOW - 2 * HOUR))
    cards = read(desk)["cards"].values()
    assert [card["id"] for card in cards if card["late"]] == [late.pk]


@pytest.mark.parametrize(
    ("service", "status", "steps"),
    [
        ("junk", Status.REQUESTED, ["scheduled"]),
        ("junk", Status.EN_ROUTE, ["in_progress", "completed"]),
        ("junk", Status.IN_PROGRESS, ["completed"]),
        ("junk", Status.COMPLETED, []),
        ("dumpster-10", Status.SCHEDULED, ["on_site"]),
        (
            "dumpster-10",
            Status.READY_FOR_PICKUP,
            ["en_route", "in_progress", "completed"],
        ),
    ],
)
def test_steps_offered(desk, service, status, steps):
    job = make_job(service=service, status=status, **window(NOW))
    card = read(desk)["cards"][str(job.pk)]
    assert [step["to"] for step in card["next"]] == steps


def test_dumpster_that_was_placed_is_picked_up_next(desk):
    job = dumpster_placed(NOW - DAY, status=Status.READY_FOR_PICKUP, **window(NOW))
    move_job(job=job, to=Status.SCHEDULED, actor="dana", reason="blocked", force=True)
    card = read(desk)["cards"][str(job.pk)]
    assert card["next"][0]["to"] == "en_route"
    assert "on_site" not in [step["to"] for step in card["next"]]


def test_step_back_is_offered_for_half_an_hour(desk, clock):
    job = make_job(status=Status.EN_ROUTE, **window(NOW))
    move_job(job=job, to=Status.IN_PROGRESS, actor="dana")
    back = {"to": "en_route", "label": "Crew on the way"}
    assert read(desk)["cards"][str(job.pk)]["back"] == back
    clock.shift(30 * timedelta(minutes=1))
    assert read(desk)["cards"][str(job.pk)]["back"] is None


# Columns


@pytest.mark.parametrize(
    ("status", "start", "place"),
    [
        (Status.SCHEDULED, NOW, "unassigned"),
        (Status.SCHEDULED, NOW + DAY, None),
        (Status.SCHEDULED, NOW - DAY, None),  # late since yesterday: in Needs you
        (Status.SCHEDULED, datetime(2026, 11, 20, 7, tzinfo=UTC), "unassigned"),  # local midnight
        (Status.SCHEDULED, datetime(2026, 11, 21, 7, tzinfo=UTC), None),  # the next one
        (Status.REQUESTED, None, "unassigned"),
        (Status.READY_FOR_PICKUP, None, "unassigned"),
        (Status.EN_ROUTE, None, "unassigned"),
        (Status.IN_PROGRESS, NOW - DAY, "unassigned"),  # under way since yesterday
        (Status.COMPLETED, NOW - 4 * HOUR, "done"),
        (Status.COMPLETED, NOW - DAY, None),
        (Status.CANCELLED, NOW, None),
    ],
)
def test_column_today(desk, status, start, place):
    job = make_job(status=status, **(window(start) if start else {}))
    assert place_of(desk, job) == ([place] if place else None)


@pytest.mark.parametrize(
    ("status", "start", "place"),
    [
        (Status.SCHEDULED, NOW, None),
        (Status.SCHEDULED, NOW + DAY, "unassigned"),
        (Status.REQUESTED, None, None),  # to be planned, which is today's work
        (Status.EN_ROUTE, NOW, None),
    ],
)
def test_column_tomorrow(desk, status, start, place):
    job = make_job(status=status, **(window(start) if start else {}))
    assert place_of(desk, job, "2026-11-21") == ([place] if place else None)


def test_job_is_in_the_column_of_its_crew_in_run_order(desk):
    crew = make_crew(name="Birch")
    early, late, last = (
        make_job(status=Status.SCHEDULED, crew=crew, **window(NOW + hours * HOUR))
        for hours in (1, 2, 3)
    )
    shown = column(read(desk), f"crew-{crew.pk}")
    assert (shown["title"], shown["crew"], shown["run_revision"]) == ("Birch", crew.pk, 0)
    assert (shown["jobs"], shown["units"]) == ([early.pk, late.pk, last.pk], 6)
    assign(job=last, crew=crew, day=date(2026, 11, 20), actor="dana", before=early.pk)
    shown = column(read(desk), f"crew-{crew.pk}")
    assert (shown["jobs"], shown["run_revision"]) == ([last.pk, early.pk, late.pk], 1)


def test_inactive_crew_has_a_column_while_it_has_jobs(desk):
    crew, idle = make_crew(active=False), make_crew(active=False)
    make_job(status=Status.SCHEDULED, crew=crew, **window(NOW))
    codes = [one["code"] for one in read(desk)["columns"]]
    assert f"crew-{crew.pk}" in codes
    assert f"crew-{idle.pk}" not in codes


def test_columns_begin_and_end_with_those_of_no_crew(desk):
    birch, alder = make_crew(name="Birch"), make_crew(name="Alder")
    assert [(one["code"], one["title"]) for one in read(desk)["columns"]] == [
        ("needs", "Needs you"),
        ("unassigned", "Unassigned"),
        (f"crew-{alder.pk}", "Alder"),
        (f"crew-{birch.pk}", "Birch"),
        ("out", "Out"),
        ("done", "Done"),
    ]


def test_job_of_another_day_that_was_completed_today_is_done(desk):
    job = make_job(status=Status.IN_PROGRESS, **window(NOW - DAY))
    make_price(job)
    move_job(job=job, to=Status.COMPLETED, actor="dana")
    assert place_of(desk, job) == ["done"]
    assert place_of(desk, job, "2026-11-19") == ["done"]
    assert place_of(desk, job, "2026-11-21") is None


def dumpster_placed(at, *, status=Status.ON_SITE, **values):
    """Make a job whose dumpster was placed at a time and that then got its status."""
    with time_machine.travel(at, tick=False):
        job = make_job(service="dumpster-10", status=Status.SCHEDULED, **values)
        given = {"actor": "dana", "side": "firm", "reason": "test", "force": True}
        path = [
            Status.ON_SITE,
            Status.READY_FOR_PICKUP,
            Status.IN_PROGRESS,
            Status.COMPLETED,
        ]
        window_of = {
            name: values[name] for name in ("window_start", "window_end") if name in values
        }
        for step in path[: path.index(status) + 1] if status in path else [*path[:1], status]:
            move_job(job=job, to=step, **given)
            if step == Status.ON_SITE:
                change_details(job=job, changes=window_of, actor="dana")
    return job


@pytest.mark.parametrize(
    ("status", "out"),
    [
        (Status.ON_SITE, True),
        (Status.READY_FOR_PICKUP, True),
        (Status.IN_PROGRESS, True),
        (Status.COMPLETED, False),
        (Status.CANCELLED, False),
    ],
)
def test_dumpster_is_out_from_its_placing_to_the_end(status, out):
    dumpster_placed(NOW, status=status)
    make_job(service="dumpster-10", status=Status.SCHEDULED)
    make_job(status=Status.READY_FOR_PICKUP)
    assert Job.objects.out().count() == out


def test_dumpster_is_in_out_every_day_but_that_of_its_window(desk):
    job = dumpster_placed(NOW - 3 * DAY, status=Status.READY_FOR_PICKUP, **window(NOW + 2 * DAY))
    days = ["2026-11-20", "2026-11-21", "2026-11-22", "2026-11-23"]
    assert [place_of(desk, job, day) for day in days] == [
        ["out"],
        ["out"],
        ["unassigned"],
        ["out"],
    ]
    card = read(desk)["cards"][str(job.pk)]
    assert (card["days_out"], card["due_on"], card["due_back"]) == (3, "2026-11-24", False)


def test_dumpster_that_is_due_first_is_on_top(desk):
    later = dumpster_placed(NOW - DAY)
    first = dumpster_placed(NOW - 3 * DAY)
    assert column(read(desk), "out")["jobs"] == [first.pk, later.pk]


@pytest.mark.parametrize(
    ("rental_days", "placed", "days", "due"),
    [
        (None, NOW, 0, False),
        (None, datetime(2026, 11, 14, 7, tzinfo=UTC), 6, False),  # midnight in Denver
        (None, datetime(2026, 11, 14, 6, 59, tzinfo=UTC), 7, True),  # a minute earlier
        (3, NOW - 48 * HOUR, 2, False),
        (3, NOW - 72 * HOUR, 3, True),
        (30, NOW - 240 * HOUR, 10, False),
    ],
)
def test_dumpster_is_due_back_when_its_days_are_used_up(desk, rental_days, placed, days, due):
    job = dumpster_placed(placed, rental_days=rental_days)
    assert list(Job.objects.due_back(NOW)) == ([job] if due else [])
    card = read(desk)["cards"][str(job.pk)]
    assert (card["days_out"], card["due_back"]) == (days, due)


def test_due_back_narrows_the_jobs_it_is_asked_of():
    crew = make_crew()
    job = dumpster_placed(NOW - 240 * HOUR, crew=crew)
    dumpster_placed(NOW - 240 * HOUR)
    assert list(Job.objects.filter(crew=crew).due_back(NOW)) == [job]


def test_job_and_queryset_agree_on_late():
    for status in Status:
        for start in (NOW - 2 * HOUR, NOW - HOUR):
            make_job(status=status, **window(start))
    assert {job.pk for job in Job.objects.all() if job.is_late(NOW)} == set(
        Job.objects.late(NOW).values_list("pk", flat=True)
    )


# Days


def test_document_names_its_day_and_its_reader(desk):
    document = read(desk, "2026-11-23")
    assert (document["v"], document["day"], document["today"]) == (2, "2026-11-23", "2026-11-20")
    assert (document["actor"], document["may_change"]) == ("dana", True)


@pytest.mark.parametrize(
    "day", ["", "tomorrow", "2026-02-30", "20261120", "1999-01-01", "9999-1-1"]
)
def test_text_that_is_not_a_day_is_refused(desk, day):
    answer = desk.get(BOARD, {"day": day})
    assert answer.status_code == 400
    assert set(answer.json()) == {"error", "hint"}


def test_week_has_the_load_of_each_day_and_its_room(desk):
    monday = datetime(2026, 11, 16, 16, tzinfo=UTC)
    held = make_window(monday, units=16)
    make_window(monday + 2 * HOUR, units=8)
    for _ in range(2):
        job = make_job(status=Status.REQUESTED, load_size=Job.LoadSize.HALF)
        times = {"window_start": held.start, "window_end": held.end}
        change_details(job=job, changes=times, actor="dana")
    make_job(status=Status.CANCELLED, **window(monday))
    make_job(status=Status.SCHEDULED, **window(datetime(2026, 11, 23, 6, tzinfo=UTC), 1))  # 11 p.m.
    make_job(status=Status.SCHEDULED, **window(datetime(2026, 11, 23, 7, tzinfo=UTC), 1))  # Monday
    week = read(desk)["week"]
    assert [one["day"] for one in week] == [f"2026-11-{day}" for day in range(16, 23)]
    assert week[0] == {"day": "2026-11-16", "jobs": 2, "units": 8, "room": 24}
    assert week[1] == {"day": "2026-11-17", "jobs": 0, "units": 0, "room": 0}
    assert week[6] == {"day": "2026-11-22", "jobs": 1, "units": 0, "room": 0}


@pytest.mark.parametrize(
    ("day", "first", "hours"),
    [
        ("2026-03-08", datetime(2026, 3, 8, 7, tzinfo=UTC), 23),
        ("2026-11-01", datetime(2026, 11, 1, 6, tzinfo=UTC), 25),
    ],
)
def test_day_of_a_clock_change_has_all_its_hours(desk, day, first, hours):
    jobs = [
        make_job(status=Status.SCHEDULED, **window(first + offset * HOUR, 1))
        for offset in (-1, 0, hours - 1, hours)
    ]
    shown = places(read(desk, day))
    assert [job.pk in shown for job in jobs] == [False, True, True, False]
    assert [one["jobs"] for one in read(desk, day)["week"]].count(2) == 1


# Reading


def test_many_jobs_take_as_many_queries_as_few(desk, django_assert_max_num_queries):
    def count():
        with django_assert_max_num_queries(15) as queries:
            read(desk)
        return len(queries)

    def fill():
        job = make_job(status=Status.SCHEDULED, crew=make_crew(), **window(NOW))
        make_price(job)
        dumpster_placed(NOW)
        make_job(status=Status.COMPLETED, **window(NOW))

    fill()
    few = count()
    for _ in range(8):
        fill()
    assert count() == few


def test_board_is_not_stored(desk):
    response = desk.get(BOARD)
    assert "no-store" in response["Cache-Control"]


def test_anonymous_user_gets_401_and_the_login_url(client):
    response = client.get(BOARD)
    assert response.status_code == 401
    assert response.json()["login"] == "/admin/login/?next=/dashboard/"
    assert "no-store" in response["Cache-Control"]
    assert "X-CSRFToken" not in response


def test_staff_without_permission_gets_401(client):
    client.force_login(User.objects.create_user("guest", is_staff=True))
    assert client.get(BOARD).status_code == 401


def test_account_that_is_not_staff_gets_401(client):
    client.force_login(User.objects.create_user("crew", is_superuser=True))
    assert client.get(BOARD).status_code == 401


def test_board_is_read_only(desk):
    assert desk.post(BOARD).status_code == 405
