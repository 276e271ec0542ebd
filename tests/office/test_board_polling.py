"""Polling the board: 304 while nothing that it shows has changed, and 200 as soon as it has."""

import random
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from django.contrib.auth.models import User
from django.test import Client

from dispatch.changing import change_details, move_job, set_price
from dispatch.errors import DispatchError
from dispatch.models import Customer, Job, JobEvent, Run, Snooze
from dispatch.needs.snoozing import snooze
from dispatch.prices import parse_price
from dispatch.runs import assign, reorder
from dispatch.statuses import Status
from dispatch.undoing import undo
from notifications.kinds import State
from notifications.models import Message
from tests.builders import make_crew, make_customer, make_job, make_price, make_service, make_window
from tests.notifications.builders import make_message
from tests.office.board import BOARD, read

pytestmark = pytest.mark.django_db
# 13:00:30 in Denver on Friday, 20 November.
NOW = datetime(2026, 11, 20, 20, 0, 30, tzinfo=UTC)
TODAY = date(2026, 11, 20)
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


class Page:
    """A page that polls, and keeps the last document it got."""

    def __init__(self, client, day=TODAY):
        self.client, self.day, self.etag, self.document = client, day, "", None

    def poll(self):
        """Return the status of the answer."""
        headers = {"If-None-Match": self.etag} if self.etag else {}
        answer = self.client.get(BOARD, {"day": self.day.isoformat()}, headers=headers)
        if answer.status_code == 200:
            self.etag, self.document = answer["ETag"], answer.json()
        else:
            assert answer.content == b""
        return answer.status_code


@pytest.fixture
def page(desk):
    return Page(desk)


@pytest.fixture
def world(db):
    """Rows to change; each change below is one that the board shows, or may show."""

    class World:
        crew, other = make_crew(name="Birch"), make_crew(name="Alder")
        customer = make_customer()
        job = make_job(
            customer=customer,
            crew=crew,
            status=Status.SCHEDULED,
            window_start=NOW,
            window_end=NOW + HOUR,
        )
        next_job = make_job(
            crew=crew, status=Status.SCHEDULED, window_start=NOW, window_end=NOW + HOUR
        )
        message = make_message(job=job, state=State.QUEUED)
        later_message = make_message(job=job, state=State.FAILED, key="later")
        window = make_window(NOW + HOUR)
        snoozed = Snooze.objects.create(
            rule="late", job=next_job, until=NOW + HOUR, reason="x", actor="olga"
        )

    make_price(World.job)
    return World


def _save(row, **values):
    for name, value in values.items():
        setattr(row, name, value)
    row.save()


CHANGES = {
    "crew of a job": lambda w: change_details(job=w.job, changes={"crew": None}, actor="o"),
    "name on a job": lambda w: change_details(job=w.job, changes={"contact_name": "Bo"}, actor="o"),
    "price": lambda w: set_price(job=w.job, price=parse_price("9"), actor="o", reason="less"),
    "step": lambda w: move_job(job=w.job, to=Status.READY_FOR_PICKUP, actor="o"),
    "new job": lambda w: make_job(),
    "first order": lambda w: reorder(job=w.job, day=TODAY, actor="o", seen_revision=0),
    "snooze": lambda w: snooze(rule="no-crew", job=w.job, hours=1, reason="x", actor="o"),
    "end of a snooze": lambda w: w.snoozed.delete(),
    "new message": lambda w: make_message(job=w.job, key="new"),
    "message that failed": lambda w: _save(w.message, state=State.FAILED),
    "crew's name": lambda w: _save(w.crew, name="Fir"),
    "crew made inactive": lambda w: _save(w.other, active=False),
    "new crew": lambda w: make_crew(),
    "customer's name": lambda w: _save(w.customer, name="Bo Berg"),
    "customer's phone": lambda w: _save(w.customer, phone="+19075550199"),
    "service's name": lambda w: _save(make_service(), name="Hauling"),
    "room of a window": lambda w: _save(w.window, units=99),
    "new window": lambda w: make_window(NOW + 3 * HOUR),
}


@pytest.mark.parametrize("change", CHANGES)
def test_change_is_sent_once(page, world, change):
    assert [page.poll(), page.poll()] == [200, 304]
    CHANGES[change](world)
    assert [page.poll(), page.poll()] == [200, 304]


def test_second_order_of_a_run_is_sent(page, world):
    reorder(job=world.job, day=TODAY, actor="olga", seen_revision=0)
    page.poll()
    reorder(job=world.job, day=TODAY, actor="olga", seen_revision=1, before=world.next_job.pk)
    assert page.poll() == 200


def test_order_of_another_day_is_not_of_this_board(page, world):
    page.poll()
    Run.objects.create(crew=world.crew, day=TODAY + timedelta(days=1), actor="olga")
    assert page.poll() == 304


def test_event_of_a_transaction_that_ended_late_is_sent(page, world):
    """PostgreSQL gives keys when a transaction writes, not when it ends."""
    late = JobEvent.objects.order_by("-pk").first()
    values = {field.attname: getattr(late, field.attname) for field in JobEvent._meta.fields}
    JobEvent.objects.bulk_create([JobEvent(**values | {"id": late.pk + 2, "revision": 9})])
    page.poll()
    JobEvent.objects.bulk_create([JobEvent(**values | {"id": late.pk + 1, "revision": 8})])
    assert page.poll() == 200


def test_minute_is_sent(page, world, clock):
    page.poll()
    clock.shift(timedelta(seconds=29))
    assert page.poll() == 304
    clock.shift(timedelta(seconds=1))
    assert page.poll() == 200


def test_days_have_boards_of_their_own(desk, world):
    today, tomorrow = Page(desk), Page(desk, TODAY + timedelta(days=1))
    today.poll()
    tomorrow.etag = today.etag
    assert tomorrow.poll() == 200


def test_viewers_have_boards_of_their_own(page, world):
    page.poll()
    other = Page(Client())
    other.client.force_login(User.objects.create_superuser("olga"))
    other.etag = page.etag
    assert other.poll() == 200
    assert other.document["actor"] == "olga"


def test_token_that_acts_need_is_new_with_a_new_session(page, world, dispatcher):
    page.poll()
    page.client.cookies.pop("csrftoken")
    assert page.poll() == 200


def test_304_is_cheap(page, world, django_assert_num_queries):
    page.poll()
    with django_assert_num_queries(5):  # session, user, two for permissions, stamp
        assert page.poll() == 304


def test_stamp_of_an_empty_database(desk):
    assert Page(desk).poll() == 200


# Many boards


ACTS = ["assign", "order", "move", "plan", "hold", "price", "undo"]
ACTS += ["rename", "call", "snooze", "message"]


class Office:
    """Makes random changes, as dispatchers, crews and customers do."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.crews = [make_crew() for _ in range(4)]
        times = [NOW + hours * HOUR for hours in (-3, 0, 2)]
        self.windows = [make_window(start, units=99) for start in times]
        self.jobs = [make_job() for _ in range(12)]

    def change(self):
        job = Job.objects.select_related("service", "crew").get(pk=self.random.choice(self.jobs).pk)
        with suppress(DispatchError):  # as the page is refused
            getattr(self, self.random.choice(ACTS))(job)

    def assign(self, job):
        crew = self.random.choice([*self.crews, None])
        assign(job=job, crew=crew, day=TODAY, actor="olga", before=self.any_job().pk)

    def order(self, job):
        run = Run.objects.filter(crew=job.crew, day=TODAY).first()
        seen = run.revision if run else 0
        reorder(job=job, day=TODAY, actor="olga", seen_revision=seen, before=self.any_job().pk)

    def move(self, job):
        to = self.random.choice([*job.next_statuses, Status.SCHEDULED])
        if to == Status.CANCELLED and self.random.random() < 0.8:
            return
        move_job(job=job, to=to, actor="olga", reason="x", side="firm", force=True)

    def plan(self, job):
        window = self.random.choice(self.windows)
        changes = {"window_start": window.start, "window_end": window.end}
        change_details(job=job, changes=changes, actor="olga")

    def hold(self, job):
        changes = {"on_hold": not job.on_hold, "hold_reason": "" if job.on_hold else "waits"}
        change_details(job=job, changes=changes, actor="olga")

    def price(self, job):
        price = parse_price(str(self.random.randint(100, 900)))
        set_price(job=job, price=price, actor="olga", reason="x")

    def undo(self, job):
        undo(job=job, revision=job.revision, actor="olga")

    def rename(self, job):
        _save(self.random.choice(self.crews), name=f"Crew {self.random.random()}")

    def call(self, job):
        _save(Customer.objects.get(pk=job.customer_id), phone=f"+1907556{self.serial():04d}")

    def snooze(self, job):
        snooze(rule="no-price", job=job, hours=1, reason="x", actor="olga")

    def message(self, job):
        waiting = Message.objects.filter(state=State.QUEUED).order_by("?").first()
        if waiting is None:
            make_message(job=job, state=State.QUEUED, key=str(self.serial()))
        else:
            _save(waiting, state=State.FAILED)

    def any_job(self):
        return self.random.choice(self.jobs)

    def serial(self):
        self.last = getattr(self, "last", 100) + 1
        return self.last


def test_boards_end_equal_to_the_database(desk, clock):
    boards_end_equal(desk, clock, boards=4, changes=24)


@pytest.mark.every_step
def test_sixteen_boards_end_equal_to_the_database_after_many_changes(desk, clock):
    boards_end_equal(desk, clock, boards=16, changes=500)


def boards_end_equal(desk, clock, *, boards, changes):
    """Boards poll now and then, of three days; none has missed a change at the end."""
    office = Office(seed=changes)
    days = [TODAY + timedelta(days=number) for number in (-1, 0, 0, 1)]
    pages = [Page(desk, days[number % 4]) for number in range(boards)]
    statuses = []
    for _ in range(changes):
        office.change()
        clock.shift(timedelta(seconds=office.random.choice([0, 1, 20])))
        page = office.random.choice(pages)
        statuses += [page.poll(), page.poll()]
    for page in pages:
        page.poll()
        whole = Page(desk, page.day)
        whole.poll()
        assert page.document == whole.document
    assert statuses.count(304) >= changes
    assert_lists_of_each_job(desk)


def assert_lists_of_each_job(desk):
    """Each job is in one column, in the run of its crew, and its card says what its row says."""
    document = read(desk)
    columns = [one for one in document["columns"] if "jobs" in one]
    keys = [pk for one in columns for pk in one["jobs"]]
    assert len(keys) == len(set(keys))
    for job in Job.objects.filter(pk__in=keys):
        card = document["cards"][str(job.pk)]
        assert (card["revision"], card["status"], card["crew"]) == (
            job.revision,
            job.status,
            job.crew_id,
        )
