"""Random bookings and changes by several threads: counts stay right and within the room."""

import random
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dispatch.booking import book
from dispatch.changing import change_details, move_job
from dispatch.errors import DispatchError
from dispatch.models import Job, ServiceType, ServiceWindow, WindowException, WindowTemplate
from dispatch.statuses import Status
from dispatch.windows.generate import generate_windows
from dispatch.windows.recount import drift
from tests.dispatch.test_booking import MARK

THREADS = 4
SIZES = Job.LoadSize.values
ACTIONS = ("book", "book", "confirm", "move", "resize", "cancel", "except")
steps = st.lists(
    st.tuples(st.sampled_from(ACTIONS), st.integers(0, 10**6)), min_size=8, max_size=40
)


class Office:
    """What customers and staff do, each action with random choices from a seed."""

    def __init__(self, now, windows):
        self.now, self.windows = now, windows
        self.done = 0

    def act(self, action, seed):
        """Do it, unless it is refused; then count again, as everyone does at every step."""
        try:
            getattr(self, f"_{action}")(random.Random(seed))
            self.done += 1
        except DispatchError:
            pass
        check(self.now)

    def _book(self, chance):
        wished = chance.sample([one.pk for one in self.windows], chance.randint(1, 3))
        phone = f"907-555-01{chance.randrange(100):02}"
        request = replace(MARK, phone=phone, windows=tuple(wished), load_size=chance.choice(SIZES))
        book(request=request, form_key=uuid4())

    def _confirm(self, chance):
        window = chance.choice(self.windows)
        with transaction.atomic():
            job = self._job(chance, Status.REQUESTED)
            times = {"window_start": window.start, "window_end": window.end}
            change_details(job=job, changes=times, actor="dana")
            move_job(job=job, to=Status.SCHEDULED, actor="dana")

    def _move(self, chance):
        window, job = chance.choice(self.windows), self._job(chance)
        outside = timedelta(minutes=chance.choice((0, 0, 0, 15)))
        times = {"window_start": window.start, "window_end": window.end + outside}
        change_details(job=job, changes=times, actor="dana")

    def _resize(self, chance):
        changes = {"load_size": chance.choice(SIZES)}
        change_details(job=self._job(chance), changes=changes, actor="dana")

    def _cancel(self, chance):
        job = self._job(chance)
        move_job(job=job, to=Status.CANCELLED, actor="dana", side="firm", reason="snow")

    def _except(self, chance):
        day = timezone.localtime(chance.choice(self.windows).start).date()
        room = {"units": chance.choice((0, 4, 20)), "reason": "snow"}
        with transaction.atomic():
            WindowException.objects.update_or_create(day=day, start=None, defaults=room)
            generate_windows(self.now)

    def _job(self, chance, *statuses):
        jobs = Job.objects.select_related("service")
        found = list(jobs.filter(status__in=statuses) if statuses else jobs)
        if not found:
            raise DispatchError("There is no such job yet.")
        return chance.choice(found)


def check(now):
    """The database says of one moment: counts are right, and within the room."""
    assert drift(now) == []
    for window in ServiceWindow.objects.all():
        assert 0 <= window.taken <= window.units
        assert 0 <= window.public_units <= window.units


@pytest.mark.parametrize("is_instant", [True, False])
def test_counts_are_right_at_every_step(together, is_instant):
    done = []

    @settings(max_examples=12, suppress_health_check=list(HealthCheck))
    @given(steps)
    def run(plan):
        now = clean(is_instant)
        office = Office(now, list(ServiceWindow.objects.filter(units__gt=0, start__gt=now)[:4]))
        queue = list(plan)
        share = -(-len(plan) // THREADS)

        def work():
            for _ in range(share):
                try:
                    step = queue.pop()
                except IndexError:
                    break
                office.act(*step)

        results = together(work, times=THREADS)
        assert results == [None] * THREADS
        check(now)
        done.append(office.done)

    run()
    assert any(done), "Every action was refused."


def clean(is_instant):
    """Start the week again, with the jobs of earlier rounds outside the windows."""
    Job.objects.update(window=None, window_units=0, status=Status.COMPLETED)
    WindowException.objects.all().delete()
    ServiceWindow.objects.all().delete()
    ServiceType.objects.update(instant_booking=is_instant)
    WindowTemplate.objects.update(units=10)
    now = timezone.now() + timedelta(hours=13)
    generate_windows(now)
    return now
