"""Which change leads to which message: one line for each."""

from datetime import timedelta
from uuid import uuid4

import pytest

from dispatch.booking import BookingRequest, book
from dispatch.changing import change_details, change_job, set_price
from dispatch.models import Job, JobEvent
from dispatch.prices import parse_price
from dispatch.statuses import Status
from dispatch.stepping import step_back
from dispatch.visits import Failure, fail_visit, report_arrival, report_delay
from notifications.events import why_outdated, window_key
from notifications.kinds import Event
from notifications.models import Message
from tests.notifications.builders import START, WINDOW, make_customers_job
from tracking.links import rotate

pytestmark = pytest.mark.django_db
LATER = {
    "window_start": START + timedelta(days=1),
    "window_end": START + timedelta(days=1, hours=2),
}
NO_WINDOW = {"window_start": None, "window_end": None}


def move(to, **kwargs):
    """Change the status alone, whatever the flow allows."""

    def change(job):
        change_job(
            job=job, kind=JobEvent.Kind.STATUS, changes={"status": to, **kwargs}, actor="pat"
        )

    return change


def change(**changes):
    return lambda job: change_details(job=job, changes=changes, actor="pat")


def price(text):
    return lambda job: set_price(job=job, price=parse_price(text), actor="pat", reason="Heavier")


def price_twice(job):
    price("$300")(job)
    price("$400")(job)


def replace_link(job):
    rotate(link=job.tracking_links.get(), actor="pat", reason="Sent to the wrong address")


def answer_price(job):
    change_job(
        job=job,
        kind=JobEvent.Kind.ANSWER,
        changes={},
        noted={"price_answer": ["", "yes"]},
        actor="pat",
    )


def late(minutes):
    return lambda job: report_delay(job=job, minutes=minutes, actor="pat")


def arrive(job):
    report_arrival(job=job, actor="pat")


def fail(job):
    fail_visit(job=job, why=Failure.NOBODY_HOME, actor="pat")


REQUESTED = {"status": Status.REQUESTED}
CASES = [
    ("confirmed", REQUESTED, move(Status.SCHEDULED), "scheduled"),
    ("confirmed with a window", {**REQUESTED, **NO_WINDOW}, move(Status.SCHEDULED, **WINDOW),
     "scheduled"),
    ("confirmed without a window", {**REQUESTED, **NO_WINDOW}, move(Status.SCHEDULED), ""),
    ("first window afterwards", NO_WINDOW, change(**WINDOW), "scheduled"),
    ("window of a request", REQUESTED, change(**LATER), ""),
    ("window moved", {}, change(**LATER), "rescheduled"),
    ("end moved", {}, change(window_end=LATER["window_end"]), "rescheduled"),
    ("window moved when ready", {"status": Status.READY_FOR_PICKUP}, change(**LATER),
     "rescheduled"),
    ("window removed", {}, change(**NO_WINDOW), ""),
    ("pickup window of a dumpster", {"status": Status.ON_SITE, "service": "dumpster-10"},
     change(**LATER), "rescheduled"),
    ("crew turns back", {"status": Status.EN_ROUTE}, move(Status.SCHEDULED), ""),
    ("crew turns back, new window", {"status": Status.EN_ROUTE}, move(Status.SCHEDULED, **LATER),
     "rescheduled"),
    ("ready", {}, move(Status.READY_FOR_PICKUP), ""),
    ("on the way", {"status": Status.READY_FOR_PICKUP}, move(Status.EN_ROUTE), "on_the_way"),
    ("begins", {"status": Status.EN_ROUTE}, move(Status.IN_PROGRESS), ""),
    ("done", {"status": Status.IN_PROGRESS}, move(Status.COMPLETED), "completed"),
    ("cancelled", {}, move(Status.CANCELLED, cancel_side="firm"), "cancelled"),
    ("crew assigned, note", {}, change(details="Two couches"), ""),
    ("first price", {}, price("$300"), ""),
    ("second price", {}, price_twice, "price_changed"),
    ("hold", {}, change(on_hold=True, hold_reason="Permit"), ""),
    ("link replaced", {}, replace_link, "link_replaced"),
    ("price answered", {}, answer_price, "customer_wrote"),
    ("delay", {}, late(30), "running_late"),
    ("delay taken back", {"late_by": 30}, late(0), ""),
    ("arrived", {"status": Status.EN_ROUTE, "late_by": 30}, arrive, ""),
    ("failed visit", {"status": Status.EN_ROUTE, "late_by": 30}, fail, ""),
]  # fmt: skip


@pytest.mark.parametrize(("name", "values", "act", "expected"), CASES, ids=[c[0] for c in CASES])
def test_table_of_events(name, values, act, expected):
    job = make_customers_job(**values)
    act(job)
    found = list(Message.objects.values_list("event", "recipient", "caused_by"))
    assert found == ([(expected, "mark@example.com", "pat")] if expected else [])


def test_every_event_of_a_change_is_in_the_table():
    by_rule = {Event.REMINDER, Event.LINK_REQUESTED}
    booked = {Event.RECEIVED}
    assert {case[3] for case in CASES} - {""} == set(Event) - by_rule - booked


def request(**kwargs):
    values = {"name": "Mark Halvorsen", "phone": "907-555-0142", "email": "mark@example.com"}
    place = {"address_line": "1423 Soderblom Avenue", "town": "Fairbanks", "zip_code": "99709"}
    return BookingRequest(**{**values, **place, **kwargs})


def test_booking_is_received_in_its_language():
    book(request=request(language="es"), form_key=uuid4())
    message = Message.objects.get()
    assert (message.event, message.language) == ("received", "es")


def test_crew_is_on_the_way_once_for_each_window():
    job = make_customers_job(status=Status.READY_FOR_PICKUP)
    for status in (Status.EN_ROUTE, Status.SCHEDULED, Status.READY_FOR_PICKUP, Status.EN_ROUTE):
        move(status)(job)
    assert Message.objects.filter(event="on_the_way").count() == 1


@pytest.mark.parametrize(
    ("event", "values", "is_true"),
    [
        (Event.REMINDER, {}, True),
        (Event.REMINDER, {"status": Status.IN_PROGRESS}, False),
        (Event.REMINDER, {"on_hold": True, "hold_reason": "x"}, False),
        (Event.RUNNING_LATE, {"status": Status.COMPLETED}, False),
        (Event.ON_THE_WAY, {"status": Status.EN_ROUTE}, True),
        (Event.ON_THE_WAY, {"status": Status.SCHEDULED}, False),
        (Event.SCHEDULED, {"status": Status.COMPLETED}, False),
        (Event.PRICE_CHANGED, {"status": Status.COMPLETED}, True),
        (Event.PRICE_CHANGED, {"status": Status.CANCELLED, "cancel_side": "firm"}, False),
        (Event.CANCELLED, {"status": Status.CANCELLED, "cancel_side": "firm"}, True),
        (Event.CANCELLED, {}, False),
        (Event.COMPLETED, {"status": Status.COMPLETED}, True),
        (Event.COMPLETED, {"status": Status.IN_PROGRESS}, False),
        (Event.SCHEDULED, {}, True),
        (Event.SCHEDULED, {"status": Status.REQUESTED}, False),
    ],
)
def test_what_waited_too_long_is_outdated(event, values, is_true):
    job = Job(**{"status": Status.SCHEDULED, **WINDOW, **values})
    assert bool(why_outdated(event, window_key(job), job)) is not is_true


@pytest.mark.parametrize(
    ("values", "is_true"),
    [
        ({"late_by": 30}, True),
        ({"late_by": 0}, False),
        ({"late_by": 30, "on_hold": True, "hold_reason": "x"}, False),
    ],
)
def test_delay_that_the_crew_does_not_expect_any_more_is_outdated(values, is_true):
    job = Job(**{"status": Status.SCHEDULED, **WINDOW, **values})
    assert bool(why_outdated(Event.RUNNING_LATE, "revision 4", job)) is not is_true


@pytest.mark.parametrize(
    ("here", "to"),
    [
        (Status.REQUESTED, Status.SCHEDULED),
        (Status.IN_PROGRESS, Status.COMPLETED),
        (Status.SCHEDULED, Status.CANCELLED),
    ],
)
def test_step_back_leads_to_no_message(here, to):
    job = make_customers_job(status=here)
    move(to, **({"cancel_side": "firm"} if to == Status.CANCELLED else {}))(job)
    before = Message.objects.count()
    step_back(job=job, actor="pat", reason="wrong job")
    assert Message.objects.count() == before == 1


def test_later_delay_replaces_one_that_waits():
    job = make_customers_job()
    for minutes in (15, 60):
        late(minutes)(job)
    states = Message.objects.order_by("pk").values_list("state", flat=True)
    assert list(states) == ["suppressed", "queued"]


def test_crew_that_turned_back_unheard_is_announced_when_it_leaves_again():
    job = make_customers_job(status=Status.READY_FOR_PICKUP)
    move(Status.EN_ROUTE)(job)
    step_back(job=job, actor="pat", reason="wrong job")
    message = Message.objects.get()
    message.error = why_outdated(Event.ON_THE_WAY, message.key, job)
    message.state = "suppressed"
    message.save()
    move(Status.EN_ROUTE)(job)
    assert Message.objects.get().state == "queued"


def test_reminder_of_a_window_that_moved_is_outdated():
    job = Job(status=Status.SCHEDULED, **WINDOW)
    key = window_key(job)
    job.window_start = LATER["window_start"]
    assert why_outdated(Event.REMINDER, key, job)
