"""What must be true of jobs after any changes, by the history that they leave.

Take `snapshot` of the jobs when they are made; `check` replays their events from there.
"""

from datetime import timedelta

from django.utils import timezone

from dispatch.details import FIELDS, history_value
from dispatch.models import Crew, Job, JobEvent, Run
from dispatch.models.history import STEP_BACK, STEPS
from dispatch.runs import on_day, run_of
from dispatch.statuses import Status, next_statuses
from dispatch.stepping import STEP_BACK_FOR
from dispatch.visits import UNDER_WAY
from dispatch.windows.recount import drift

REPLAYED = (*FIELDS, "status", "cancel_side", "late_by", "arrived_at")
# What events record that is in no field of the job.
NOTED = {"visit", "overridden", "pickup", "price_answer", "photos", STEP_BACK, STEPS}


def snapshot(job):
    """Return a job's values as history has them."""
    price = str(job.prices.order_by("pk").last() or "")
    return {name: history_value(job, name) for name in REPLAYED} | {"price": price}


def check(made):
    """Check all that must be true; `made` has the snapshot of each job by its key."""
    for pk, first in made.items():
        job = Job.objects.select_related("service", "crew").get(pk=pk)
        events = list(JobEvent.objects.filter(job=job).order_by("pk"))
        assert [one.revision for one in events] == list(range(1, job.revision + 1))
        assert replay(first, events) == snapshot(job)
        check_steps(job, events)
    assert drift(timezone.now()) == []
    check_runs()


def replay(first, events):
    """Return the values after the events, each of which must begin where the last one ended."""
    values = dict(first)
    for event in events[1:]:
        for name, (before, after) in event.changes.items():
            if name not in NOTED:
                assert values[name] == before, f"revision {event.revision}: {name}"
                values[name] = after
        assert event.status == values["status"], f"revision {event.revision}"
    return values


def check_steps(job, events):
    """Each step is one of the flow, a step back in time, or a failed visit."""
    moves = [event for event in events if "status" in event.changes]
    for place, event in enumerate(moves):
        here, to = (Status(code) for code in event.changes["status"])
        if STEP_BACK in event.changes:
            check_step_back(event, moves[:place])
        elif event.kind == JobEvent.Kind.VISIT:
            assert here in UNDER_WAY
            assert to in (Status.SCHEDULED, Status.READY_FOR_PICKUP)
        else:
            assert to in next_statuses(here, job.kind), f"{here} to {to}"


def check_step_back(event, earlier):
    """What it takes back are the last steps, made at once and not long ago; and no step back."""
    last, first = event.changes[STEP_BACK]
    taken = [one for one in earlier if one.revision >= int(first)]
    assert taken[-1].revision == int(last)
    assert taken[-1].changes.get(STEPS, ["", 1])[1] in (1, len(taken)) or len(taken) == 1
    assert not any(STEP_BACK in one.changes for one in taken)
    assert event.at - taken[-1].at < STEP_BACK_FOR
    assert event.changes["status"] == [
        taken[-1].changes["status"][1],
        taken[0].changes["status"][0],
    ]


def check_runs():
    """Each run has each of its jobs once, and no other."""
    today = timezone.localdate()
    for day in (today + timedelta(days=n) for n in range(-1, 4)):
        found = []
        for crew in Crew.objects.all():
            run = [job.pk for job in run_of(crew, day, today=today)]
            jobs = on_day(day, today=today).filter(crew=crew)
            assert sorted(run) == sorted(jobs.values_list("pk", flat=True))
            found += run
        assert len(found) == len(set(found))
    for run in Run.objects.all():
        assert len(run.order) == len(set(run.order))
