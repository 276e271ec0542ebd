"""Random days: whatever the office, crews and customers do, jobs only go where they may."""

import random
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
import time_machine
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dispatch.changing import change_details, move_job, set_price
from dispatch.customer_actions.acting import Sent
from dispatch.customer_actions.adding import answer_price, give_code
from dispatch.customer_actions.planning import CancelReason, ask_pickup, cancel, move_window
from dispatch.errors import DispatchError, JobChangedMeanwhile
from dispatch.models import Crew, Job, JobEvent, Run, ServiceWindow
from dispatch.once import do_once
from dispatch.price_questions import Answer
from dispatch.prices import parse_price
from dispatch.runs import assign, reorder
from dispatch.statuses import Status
from dispatch.stepping import advance, step_back
from dispatch.undoing import undo
from dispatch.visits import DELAYS, UNDER_WAY, Failure, fail_visit, report_arrival, report_delay
from tests.builders import make_crew, make_job, make_price, make_window
from tests.dispatch.replaying import check, snapshot

MORNING = datetime(2026, 11, 24, 15, tzinfo=UTC)  # 8 in Denver
ACTORS = ("dana", "olga")
FORWARD = [status for status in Status if status not in (Status.REQUESTED, Status.CANCELLED)]
THREADS = 4


class Day:
    """Jobs, crews and windows, and what can be done; each action chooses by chance."""

    def __init__(self, now):
        self.windows = [make_window(now + timedelta(hours=2 * n), units=20) for n in range(4)]
        self.windows.append(make_window(now + timedelta(days=2), units=8))
        self.crews = [make_crew(), make_crew()]
        services = ["junk", "junk", "junk", "dumpster-10", "dumpster-10"]
        jobs = [make_job(service=code, load_size="half") for code in services]
        for job in jobs[1:]:
            make_price(job)
        self.jobs = [job.pk for job in jobs]
        self.made = {job.pk: snapshot(job) for job in jobs}
        self.done = set()

    def act(self, action, seed):
        """Do it, unless it is refused: then nothing may have changed."""
        chance = random.Random(seed)
        job, key = self.read(self.choose(action, chance)), uuid4()
        before = self.rows()
        try:
            getattr(self, action)(job, chance, key)
            self.done.add(action)
        except DispatchError:
            return before
        return None

    def choose(self, action, chance):
        """Choose a job, mostly one that allows the action."""
        jobs = Job.objects.open().filter(pk__in=self.jobs).order_by("pk")
        if action in ("arrive", "fail"):
            jobs = jobs.filter(status__in=UNDER_WAY)
        return chance.choice([*jobs.values_list("pk", flat=True)] * 4 + self.jobs)

    def rows(self):
        events = JobEvent.objects.count()
        return events, list(Job.objects.order_by("pk").values()), list(Run.objects.values())

    def read(self, pk):
        return Job.objects.select_related("service", "crew", "customer").get(pk=pk)

    def plan(self, job, chance, key):
        """Give a job all that most steps need."""
        window = chance.choice(self.windows)
        times = {"window_start": window.start, "window_end": window.end}
        crew = chance.choice(self.crews)
        change_details(
            job=job, changes={**times, "crew": crew}, actor=chance.choice(ACTORS), key=key
        )

    def move(self, job, chance, key):
        given = {
            "side": "firm",
            "reason": chance.choice(["", "snow"]),
            "force": chance.random() < 0.3,
        }
        to = chance.choice(job.next_statuses or list(Status))
        move_job(job=job, to=to, actor=chance.choice(ACTORS), key=key, **given)

    def walk(self, job, chance, key):
        to = chance.choice([*FORWARD, Status.EN_ROUTE, Status.EN_ROUTE])
        advance(job=job, to=to, actor=chance.choice(ACTORS), reason="early", key=key)

    def back(self, job, chance, key):
        step_back(job=job, actor=chance.choice(ACTORS), reason="wrong job", key=key)

    def undo(self, job, chance, key):
        undo(job=job, revision=job.revision, actor=chance.choice(ACTORS), key=key)

    def assign(self, job, chance, key):
        crew = chance.choice([*self.crews, None])
        before = chance.choice([*self.jobs, None])
        day = timezone.localdate()
        assign(job=job, crew=crew, day=day, before=before, actor=chance.choice(ACTORS), key=key)

    def order(self, job, chance, key):
        day = timezone.localdate()
        run = Run.objects.filter(crew=job.crew_id, day=day).first()
        seen = run.revision if run and chance.random() < 0.8 else 0
        before = chance.choice([*self.jobs, None])
        actor = chance.choice(ACTORS)
        reorder(job=job, day=day, before=before, seen_revision=seen, actor=actor)

    def arrive(self, job, chance, key):
        report_arrival(job=job, actor="Birch", key=key)

    def delay(self, job, chance, key):
        report_delay(job=job, minutes=chance.choice(DELAYS), actor="Birch", key=key)

    def fail(self, job, chance, key):
        fail_visit(job=job, why=chance.choice(list(Failure)), actor="Birch", note="x", key=key)

    def edit(self, job, chance, key):
        hours = chance.randint(1, 40)
        changes = chance.choice([
            {"on_hold": True, "hold_reason": "rain"}, {"on_hold": False},
            {"load_size": chance.choice(Job.LoadSize.values)}, {"unit": str(chance.randint(1, 9))},
            {"access_notes": "gate 1234"}, {"window_start": None, "window_end": None},
            {"window_start": MORNING, "window_end": MORNING + timedelta(hours=hours)},
        ])  # fmt: skip
        change_details(job=job, changes=changes, actor=chance.choice(ACTORS), key=key)

    def price(self, job, chance, key):
        price = parse_price(chance.choice(["600", "700 all-in", "300 estimate", "400 to 600"]))
        set_price(job=job, price=price, reason="a piano", actor=chance.choice(ACTORS), key=key)

    def customer(self, job, chance, key):
        sent = Sent(key=key, revision=chance.choice([job.revision, None]))
        window = chance.choice(self.windows).pk
        chance.choice([
            lambda: cancel(job=job, reason=CancelReason.TIME, words="", sent=sent),
            lambda: move_window(job=job, window=window, sent=sent),
            lambda: ask_pickup(job=job, window=chance.choice([window, None]), sent=sent),
            lambda: answer_price(job=job, answer=chance.choice(list(Answer)), sent=sent),
            lambda: give_code(job=job, text="1234", replace=False, key=key),
        ])()  # fmt: skip

    def twice(self, job, chance, key):
        """Send one tap twice: it counts once."""
        tap = chance.choice([self.walk, self.back, self.undo, self.assign, self.fail, self.edit])
        seed = chance.random()
        events = [
            do_once(
                job=job,
                key=key,
                do=lambda: tap(self.read(job.pk), random.Random(seed), key),
            )
            for _ in range(2)
        ]
        assert events[0] is None or events[0] == events[1]

    def stale(self, job, chance, key):
        """Act on a job that was changed since it was read."""
        change_details(job=self.read(job.pk), changes={"unit": str(uuid4())[:30]}, actor="olga")
        with pytest.raises(JobChangedMeanwhile, match="by olga"):
            set_price(job=job, price=parse_price("999"), reason="stale", actor="dana", key=key)


ACTIONS = (
    "plan", "plan", "move", "move", "walk", "walk", "walk", "back", "undo", "assign", "order",
    "arrive", "delay", "fail", "edit", "price", "customer", "twice", "stale",
)  # fmt: skip
seeds = st.integers(0, 10**6)
steps = st.lists(st.tuples(st.sampled_from([*ACTIONS, "wait"]), seeds), min_size=15, max_size=50)


def spend(plan):
    """Do the steps of a plan on a new day, check it, and forget it; return what was done."""
    with time_machine.travel(MORNING, tick=False) as clock, transaction.atomic():
        day = Day(MORNING)
        for action, seed in [*[("plan", seed) for _, seed in plan[:5]], *plan]:
            if action == "wait":
                clock.shift(timedelta(minutes=seed % 45))
            elif refused_at := day.act(action, seed):
                assert day.rows() == refused_at
        check(day.made)
        transaction.set_rollback(True)
    return day.done


@pytest.mark.django_db
@settings(max_examples=8, suppress_health_check=list(HealthCheck))
@given(steps)
def test_random_calls_leave_a_true_history(plan):
    spend(plan)


@pytest.mark.every_step
@pytest.mark.django_db
@settings(max_examples=200, suppress_health_check=list(HealthCheck))
@given(steps)
def test_many_random_calls_leave_a_true_history(plan):
    spend(plan)


@pytest.mark.django_db
def test_every_action_is_possible_on_a_long_day():
    chance = random.Random(1)
    plan = [(chance.choice([*ACTIONS, "wait"]), chance.randrange(10**6)) for _ in range(300)]
    assert spend(plan) == set(ACTIONS)


@pytest.mark.django_db(transaction=True)
def test_random_calls_at_once_leave_a_true_history(together):
    @settings(max_examples=4, suppress_health_check=list(HealthCheck))
    @given(st.lists(st.tuples(st.sampled_from(ACTIONS), seeds), min_size=24, max_size=60))
    def run(plan):
        day = start_again()
        queue = [*plan, *[("plan", seed) for _, seed in plan[:5]]]

        def work():
            while queue:
                try:
                    step = queue.pop()
                except IndexError:
                    break
                if step[0] != "stale":  # another may be quicker than olga
                    day.act(*step)

        assert together(work, times=THREADS) == [None] * THREADS
        check(day.made)

    run()


def start_again():
    """Begin a new day, with the jobs of earlier rounds ended outside the windows."""
    Run.objects.all().delete()
    Job.objects.update(
        window=None, window_units=0, crew=None, window_start=None, window_end=None,
        status=Status.COMPLETED,
    )  # fmt: skip
    ServiceWindow.objects.all().delete()
    Crew.objects.all().delete()
    return Day(timezone.now().replace(second=0, microsecond=0) + timedelta(hours=1))
