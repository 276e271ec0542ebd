"""The acts of the board: each in its own words, once per key, and refused with what would help."""

from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest
import time_machine
from django.contrib.auth.models import Group, Permission, User
from django.test import Client

from dispatch.changing import change_details, move_job, set_price
from dispatch.models import Job, JobEvent, Run
from dispatch.prices import parse_price
from dispatch.runs import assign
from dispatch.seeding import DISPATCHERS
from dispatch.statuses import Status
from notifications.models import Message
from office.board.asking import LONGEST, MOST_BYTES
from tests.builders import make_crew, make_customer, make_job, make_price, make_window
from tests.office.board import ACTS, column, done, post, read, refused
from tracking.links import ensure_link

pytestmark = pytest.mark.django_db
# 13:00 in Denver on Friday, 20 November.
NOW = datetime(2026, 11, 20, 20, tzinfo=UTC)
TODAY = "2026-11-20"
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def job(db):
    """A job of today that has all that the flow asks for, but no crew."""
    job = make_job(status=Status.SCHEDULED, window_start=NOW, window_end=NOW + 2 * HOUR)
    make_price(job)
    return job


@pytest.fixture
def olga(db):
    """Another dispatcher's client."""
    user = User.objects.create_user("olga", is_staff=True)
    user.groups.add(Group.objects.get(name=DISPATCHERS))
    client = Client()
    client.force_login(user)
    return client


def run_of(desk, crew):
    shown = column(read(desk), f"crew-{crew.pk}")
    return shown["jobs"], shown["run_revision"]


# What each act does


def test_assign(desk, job):
    crew = make_crew(name="Birch")
    answer = done(desk, "assign", job, crew=crew.pk)
    assert answer["message"] == "Assigned to Birch."
    assert answer["undo"] == {"job": job.pk, "revision": 2}
    assert (answer["card"]["crew"], answer["card"]["revision"]) == (crew.pk, 2)
    assert (job.crew, job.events.last().actor) == (crew, "dana")
    answer = done(desk, "assign", job, crew=None)
    assert (answer["message"], job.crew) == ("Crew taken away.", None)


def test_assign_at_a_place_in_the_run(desk, job):
    crew = make_crew()
    first = make_job(crew=crew, status=Status.SCHEDULED, window_start=NOW, window_end=NOW + HOUR)
    done(desk, "assign", job, crew=crew.pk, before=first.pk, day=TODAY)
    assert run_of(desk, crew) == ([job.pk, first.pk], 1)


def test_order(desk, job):
    crew = make_crew(name="Birch")
    times = {"window_start": NOW, "window_end": NOW + HOUR}
    first = make_job(crew=crew, status=Status.SCHEDULED, **times)
    done(desk, "assign", job, crew=crew.pk)
    assert run_of(desk, crew) == ([first.pk, job.pk], 1)
    revision = job.revision
    answer = done(desk, "order", job, run_revision=1, before=first.pk)
    assert (answer["message"], answer["undo"]) == ("Moved in the run of Birch.", None)
    assert run_of(desk, crew) == ([job.pk, first.pk], 2)
    done(desk, "order", job, run_revision=2)
    assert run_of(desk, crew) == ([first.pk, job.pk], 3)
    assert job.revision == revision  # no customer hears of it


def test_step_through_those_between(desk, job):
    change_details(job=job, changes={"crew": make_crew()}, actor="dana")
    answer = done(desk, "step", job, to="en_route")
    assert answer["message"] == "Crew on the way."
    assert answer["card"]["back"] == {"to": "ready_for_pickup", "label": "Ready for pickup"}
    moves = job.events.filter(kind=JobEvent.Kind.STATUS)
    assert [event.status for event in moves] == ["ready_for_pickup", "en_route"]


def test_step_with_what_the_job_lacked(desk):
    job, crew, window = make_job(), make_crew(), make_window(NOW + HOUR)
    done(desk, "step", job, to="scheduled", window=window.pk, crew=crew.pk, price="340 all-in")
    assert (job.status, job.crew, job.window) == (Status.SCHEDULED, crew, window)
    assert str(job.price) == "$340 all-in"


def test_step_that_is_refused_enters_nothing(desk):
    job, crew = make_job(), make_crew()
    refused(desk, 422, "step", job, to="scheduled", crew=crew.pk)
    job.refresh_from_db()
    assert (job.crew, job.revision) == (None, 1)


def test_back(desk, job):
    move_job(job=job, to=Status.READY_FOR_PICKUP, actor="dana")
    answer = done(desk, "back", job, reason="wrong job")
    assert (answer["message"], job.status) == ("Back to Scheduled.", Status.SCHEDULED)
    assert job.events.last().reason == "wrong job"


def test_cancel(desk, job):
    answer = done(desk, "cancel", job, side="customer", reason="moved away")
    assert (answer["message"], job.status, job.cancel_side) == (
        "Cancelled.",
        Status.CANCELLED,
        "customer",
    )


def test_window_by_its_key(desk, job):
    window = make_window(NOW + 20 * HOUR)
    answer = done(desk, "window", job, window=window.pk)
    assert answer["message"] == "Window: Sat Nov 21, 9 a.m. to 11 a.m."
    assert (job.window, answer["card"]["outside_windows"]) == (window, False)


def test_window_by_its_times(desk, job):
    answer = done(
        desk,
        "window",
        job,
        start="2026-11-23T09:00",
        end="2026-11-23T11:30",
        reason="customer asked",
    )
    assert answer["message"] == "Window: Mon Nov 23, 9 a.m. to 11:30 a.m."
    assert job.window_start == datetime(2026, 11, 23, 16, tzinfo=UTC)
    assert answer["card"]["outside_windows"] is True
    assert job.events.last().reason == "customer asked"


def test_hold_and_its_end(desk, job):
    answer = done(desk, "hold", job, reason="waits for a permit")
    assert (answer["message"], answer["card"]["hold_reason"]) == ("On hold.", "waits for a permit")
    answer = done(desk, "unhold", job)
    assert (answer["message"], answer["card"]["on_hold"]) == ("Hold ended.", False)


def test_price(desk, job):
    answer = done(desk, "price", job, text="340 all-in", reason="less than booked")
    assert (answer["message"], answer["card"]["price"]) == ("Price: $340 all-in.", "$340 all-in")
    assert job.prices.last().reason == "less than booked"


def test_price_that_is_agreed_already(desk, job):
    answer = done(desk, "price", job, text="600")
    assert (answer["message"], answer["undo"]) == ("Price: $600 all-in.", None)
    assert job.revision == 1


def test_send_link(desk, settings):
    settings.EMAIL_URL = "memorymail://"
    job = make_job(customer=make_customer(email="ann@example.com"))
    ensure_link(job=job, actor="dana")
    before = Message.objects.count()
    answer = done(desk, "send_link", job)
    assert (answer["message"], answer["undo"]) == (
        "The tracking link is on its way to the customer.",
        None,
    )
    assert Message.objects.count() == before + 1


def test_send_link_counts_once_over_the_turn_of_a_minute(desk, clock, settings):
    settings.EMAIL_URL = "memorymail://"
    job = make_job(customer=make_customer(email="ann@example.com"))
    ensure_link(job=job, actor="dana")
    done(desk, "send_link", job)
    before = Message.objects.count()
    clock.shift(timedelta(minutes=1))
    done(desk, "send_link", job)
    assert Message.objects.count() == before
    clock.shift(timedelta(minutes=2))
    done(desk, "send_link", job)
    assert Message.objects.count() == before + 1


# Undoing


@pytest.mark.parametrize(
    ("act", "fields"),
    [
        ("assign", {"crew": True}),
        ("window", {"start": "2026-11-23T09:00", "end": "2026-11-23T11:00"}),
        ("hold", {"reason": "waits"}),
        ("price", {"text": "400", "reason": "more"}),
        ("step", {"to": "ready_for_pickup"}),
    ],
)
def test_undo_restores_what_was_before(desk, job, act, fields):
    fields = {**fields, **({"crew": make_crew().pk} if "crew" in fields else {})}
    before = read(desk)["cards"][str(job.pk)]
    undo = done(desk, act, job, **fields)["undo"]
    assert undo["revision"] == job.revision == 2
    answer = done(desk, "undo", job, revision=undo["revision"])
    assert answer["message"].startswith("Undone")
    assert {**answer["card"], "revision": 1, "back": None} == {**before, "back": None}
    assert JobEvent.objects.filter(job=job, revision=3).exists()


def test_undo_of_what_changed_since_is_a_conflict(desk, olga, job):
    undo = done(desk, "hold", job, reason="waits")["undo"]
    done(olga, "unhold", job)
    answer = refused(desk, 409, "undo", job, revision=undo["revision"])
    assert (answer["by"], answer["changes"][0]["field"]) == ("olga", "on_hold")


def test_undo_comes_too_late(desk, job, clock):
    undo = done(desk, "hold", job, reason="waits")["undo"]
    clock.shift(timedelta(minutes=2))
    assert refused(desk, 422, "undo", job, revision=undo["revision"])["code"] == "not-undone"


def test_undo_is_for_the_one_who_did_it(desk, olga, job):
    undo = done(desk, "hold", job, reason="waits")["undo"]
    assert refused(olga, 422, "undo", job, revision=undo["revision"])["code"] == "not-undone"


# Once per key


@pytest.mark.parametrize(
    ("act", "fields"),
    [
        ("assign", {"crew": True}),
        ("step", {"to": "ready_for_pickup"}),
        ("cancel", {"side": "firm", "reason": "truck broken"}),
        ("window", {"start": "2026-11-23T09:00", "end": "2026-11-23T11:00"}),
        ("hold", {"reason": "waits"}),
        ("price", {"text": "400", "reason": "more"}),
    ],
)
def test_same_key_counts_once_and_gets_the_same_answer(desk, job, act, fields):
    fields = {**fields, **({"crew": make_crew().pk} if "crew" in fields else {})}
    fields |= {"key": str(uuid4()), "revision": job.revision}
    first, second = (done(desk, act, job, **fields) for _ in range(2))
    assert first == second
    assert job.revision == 2


def test_same_step_back_and_undo_count_once(desk, job):
    move_job(job=job, to=Status.READY_FOR_PICKUP, actor="dana")
    for act, fields in (("back", {"reason": "wrong"}), ("undo", {})):
        if act == "undo":
            done(desk, "hold", job, reason="waits")
        fields |= {"key": str(uuid4()), "revision": job.revision}
        revision = job.revision
        assert done(desk, act, job, **fields) == done(desk, act, job, **fields)
        assert job.revision == revision + 1


def test_same_order_counts_once(desk, job):
    crew = make_crew()
    times = {"window_start": NOW, "window_end": NOW + HOUR}
    other = make_job(crew=crew, status=Status.SCHEDULED, **times)
    done(desk, "assign", job, crew=crew.pk)
    same = {"run_revision": 1, "before": other.pk, "key": str(uuid4())}
    assert done(desk, "order", job, **same) == done(desk, "order", job, **same)
    assert run_of(desk, crew) == ([job.pk, other.pk], 2)


def test_key_of_another_act_is_refused(desk, job):
    key = str(uuid4())
    done(desk, "hold", job, reason="waits", key=key)
    assert refused(desk, 400, "unhold", make_job(), key=key)["code"] == "bad-body"


def test_same_request_many_times_at_once_counts_once(together):
    job, client = make_job(), Client()
    client.force_login(dispatcher_account("dana"))
    cookie, key = client.cookies["sessionid"].value, str(uuid4())

    def hold():
        own = Client()
        own.cookies["sessionid"] = cookie
        answer = post(own, "hold", job, reason="waits", key=key)
        return answer.status_code, answer.json()["message"]

    assert together(hold, 8) == [(200, "On hold.")] * 8
    job.refresh_from_db()
    assert job.revision == 2


def dispatcher_account(name):
    user = User.objects.create_user(name, is_staff=True)
    user.groups.add(Group.objects.get_or_create(name=DISPATCHERS)[0])
    return User.objects.get(pk=user.pk)


# Two dispatchers


def test_the_second_is_shown_who_changed_what(desk, olga, job):
    crew, other = make_crew(name="South crew"), make_crew(name="North crew")
    seen = job.revision
    done(olga, "assign", job, crew=crew.pk)
    done(olga, "step", job, to="en_route")
    answer = refused(desk, 409, "assign", job, crew=other.pk, revision=seen)
    assert (answer["code"], answer["by"]) == ("job-changed", "olga")
    assert [
        (one["field"], one["before"], one["after"], one["actor"]) for one in answer["changes"]
    ] == [
        ("crew", "", "South crew", "olga"),
        ("status", "Scheduled", "Ready for pickup", "olga"),
        ("status", "Ready for pickup", "Crew on the way", "olga"),
    ]
    assert (answer["card"]["crew"], answer["card"]["revision"]) == (crew.pk, 4)
    job.refresh_from_db()
    assert job.crew == crew


def test_two_drag_one_card_at_once(together):
    crews = {name: make_crew(name=name) for name in ("North", "South")}
    job = make_job(status=Status.SCHEDULED, window_start=NOW, window_end=NOW + HOUR)
    left = []
    for name in crews:
        client = Client()
        client.force_login(dispatcher_account(f"of {name}"))
        left.append((name, client))

    def drag():
        name, client = left.pop()
        answer = post(client, "assign", job, crew=crews[name].pk, day=TODAY)
        return name, answer.status_code, answer.json()

    (won, _, card), (lost, _, why) = sorted(together(drag, 2), key=lambda one: one[1])
    assert card["card"]["crew"] == crews[won].pk
    assert (why["code"], why["by"]) == ("job-changed", f"of {won}")
    assert why["changes"][0]["after"] == won
    job.refresh_from_db()
    assert (job.crew.name, job.revision) == (won, 2)
    assert lost != won


def test_order_that_another_changed_is_a_conflict(desk, job):
    crew = make_crew()
    times = {"window_start": NOW, "window_end": NOW + HOUR}
    other = make_job(crew=crew, status=Status.SCHEDULED, **times)
    assign(job=job, crew=crew, day=date(2026, 11, 20), actor="olga")
    job.refresh_from_db()
    answer = refused(desk, 409, "order", job, run_revision=0, before=other.pk)
    assert (answer["code"], answer["by"]) == ("run-changed", "olga")
    assert [one["field"] for one in answer["changes"]] == ["order"]
    assert Run.objects.get().revision == 1


# Refusals


def test_what_a_step_lacks_is_listed_with_free_windows(desk):
    job, window = make_job(), make_window(NOW + 20 * HOUR)
    make_window(NOW + 30 * HOUR, units=1)  # too small
    answer = refused(desk, 422, "step", job, to="scheduled")
    assert (answer["code"], answer["field"]) == ("guard-refused", "window_start")
    assert answer["missing"] == [
        {
            "code": "no-window",
            "message": f"{job.label} has no arrival window.",
            "hint": "Choose a window.",
            "field": "window_start",
        }
    ]
    assert answer["windows"] == [
        {
            "id": window.pk,
            "start": "2026-11-21T09:00:00-07:00",
            "end": "2026-11-21T11:00:00-07:00",
            "text": "Sat Nov 21, 9 a.m. to 11 a.m.",
        }
    ]


def test_everything_missing_is_listed_at_once(desk, job):
    change_details(job=job, changes={"on_hold": True, "hold_reason": "waits"}, actor="dana")
    move_job(job=job, to=Status.READY_FOR_PICKUP, actor="dana", force=True, reason="test")
    answer = refused(desk, 422, "step", job, to="en_route")
    assert [one["code"] for one in answer["missing"]] == ["on-hold", "no-crew"]
    assert answer["hint"] == "End the hold first. Assign a crew."


def test_full_window_offers_others(desk, job):
    full, free = make_window(NOW + 20 * HOUR, units=1), make_window(NOW + 22 * HOUR)
    answer = refused(desk, 422, "window", job, window=full.pk)
    assert (answer["code"], answer["field"]) == ("window-full", "window_start")
    assert [one["id"] for one in answer["windows"]] == [free.pk]


@pytest.mark.parametrize(
    ("act", "fields", "code", "field"),
    [
        ("step", {"to": "on_site"}, "move-not-allowed", ""),
        ("step", {"to": "scheduled"}, "already-there", ""),
        ("step", {"to": "cancelled"}, "value-refused", ""),
        ("step", {"to": "lost"}, "status-unknown", ""),
        ("back", {"reason": ""}, "value-refused", "reason"),
        ("back", {"reason": "x"}, "not-undone", ""),
        ("cancel", {"side": "nature", "reason": "x"}, "value-refused", ""),
        ("cancel", {"side": "firm"}, "value-refused", ""),
        ("window", {"window": 99}, "value-refused", "window_start"),
        (
            "window",
            {"start": "2026-11-23T09:00", "end": "2026-11-23T08:00"},
            "value-refused",
            "window_end",
        ),
        ("hold", {"reason": " "}, "value-refused", "hold_reason"),
        ("price", {"text": "cheap"}, "value-refused", ""),
        ("price", {"text": "700"}, "value-refused", ""),  # without a reason
        ("assign", {"crew": 99}, "value-refused", "crew"),
        ("order", {"run_revision": 0}, "value-refused", "crew"),
        ("send_link", {}, "link-not-active", ""),
    ],
)
def test_refusals(desk, job, act, fields, code, field):
    answer = refused(desk, 422, act, job, **fields)
    assert (answer["code"], answer["field"], answer["missing"]) == (code, field, [])
    assert answer["error"]
    assert answer["hint"]
    job.refresh_from_db()
    assert job.revision == 1


def test_inactive_crew_gets_no_more_jobs(desk, job):
    answer = refused(desk, 422, "assign", job, crew=make_crew(active=False).pk)
    assert (answer["code"], answer["field"]) == ("value-refused", "crew")


def test_unknown_job(desk):
    assert refused(desk, 404, "unhold", Job(pk=99))["code"] == "job-unknown"


@pytest.mark.parametrize(
    "changed",
    [
        {"act": "delete"},
        {"act": None},
        {"act": 3},
        {"key": "1"},
        {"key": None},
        {"job": "17"},
        {"job": True},
        {"job": None},
        {"job": 10**30},
        {"revision": None},
        {"revision": -1},
        {"day": "today"},
        {"reason": "a\x00b"},
        {"reason": "\ud800"},
        {"reason": ["x"]},
        {"reason": "x" * (LONGEST + 1)},
        {"act": "window", "start": "9 o'clock", "end": "2026-11-23T11:00"},
        {"act": "window", "start": "2026-11-23T09:00Z", "end": "2026-11-23T11:00"},
        {"act": "window", "start": "2027-03-14T02:30", "end": "2027-03-14T04:00"},  # skipped hour
        {"act": "window"},
        {"act": "order"},
    ],
)
def test_body_that_is_not_as_agreed(desk, job, changed):
    change_details(job=job, changes={"crew": make_crew()}, actor="dana")
    body = {"act": "hold", "key": str(uuid4()), "job": job.pk, "revision": 2, "reason": "x"}
    answer = desk.post(ACTS, body | changed, content_type="application/json")
    assert answer.status_code == 400, answer.content
    assert set(answer.json()) == {"code", "error", "hint"}
    assert Job.objects.get().revision == 2


@pytest.mark.parametrize(
    "body", ["", "{", "[]", "3", "[" * 5000, b"\xff", '{"act": "hold"}' + " " * MOST_BYTES]
)
def test_body_that_is_no_object(desk, body):
    answer = desk.post(ACTS, body, content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (400, "bad-body")


# Who may


def test_anonymous_visitor_gets_401(client, job):
    answer = post(client, "hold", job, reason="x")
    assert answer.status_code == 401
    assert answer.json()["login"] == "/admin/login/?next=/dashboard/"


def test_account_of_no_staff_gets_401(client, job):
    client.force_login(User.objects.create_user("crew", is_superuser=True))
    assert post(client, "hold", job, reason="x").status_code == 401


def test_viewer_may_look_and_not_act(client, job):
    viewer = User.objects.create_user("vera", is_staff=True)
    viewer.user_permissions.add(permission("view_job"))
    client.force_login(viewer)
    document = read(client)
    assert (document["actor"], document["may_change"]) == ("vera", False)
    answer = refused(client, 403, "hold", job, reason="x")
    assert answer["code"] == "permission"
    job.refresh_from_db()
    assert job.revision == 1


def permission(codename):
    return Permission.objects.get(codename=codename, content_type__app_label="dispatch")


def test_act_needs_the_token_of_its_session(dispatcher, job):
    client = Client(enforce_csrf_checks=True)
    client.force_login(dispatcher)
    assert refused(client, 403, "hold", job, reason="x")["code"] == "csrf"
    token = client.get("/api/board")["X-CSRFToken"]
    body = {"act": "hold", "key": str(uuid4()), "job": job.pk, "revision": 1, "reason": "x"}
    forged = {"X-CSRFToken": "x" * 64}
    answer = client.post(ACTS, body, content_type="application/json", headers=forged)
    assert (answer.status_code, answer.json()["code"]) == (403, "csrf")
    given = {"X-CSRFToken": token}
    answer = client.post(ACTS, body, content_type="application/json", headers=given)
    assert answer.status_code == 200


def test_acts_are_posted(desk):
    assert desk.get(ACTS).status_code == 405


def test_act_takes_as_many_queries_on_a_long_history(desk, job, django_assert_max_num_queries):
    def count():
        job.refresh_from_db()
        with django_assert_max_num_queries(30) as queries:
            done(desk, "hold", job, reason="waits")
        done(desk, "unhold", job)
        return len(queries)

    few = count()
    for cents in range(400, 410):
        set_price(job=job, price=parse_price(str(cents)), actor="dana", reason="again")
    assert count() == few
