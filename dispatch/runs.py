"""Runs: the jobs of a crew on a day, in the order in which it does them.

The order is a row of its own (models.Run), so a change of order changes no job, and no
customer hears of it.
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, time
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from dispatch.changing import change_details, changed_meanwhile
from dispatch.days import local_day
from dispatch.errors import DispatchError, RunChangedMeanwhile, ValueRefused
from dispatch.models import Crew, Job, JobQuerySet, Run
from dispatch.statuses import Status
from dispatch.visits import UNDER_WAY


def bounds(day: date) -> tuple[datetime, datetime]:
    """Return the start and end of a calendar day in TIME_ZONE, as a half-open interval."""
    return local_day(timezone.make_aware(datetime.combine(day, time(12))))


def on_day(day: date, *, today: date) -> JobQuerySet:
    """Return the jobs of a day's runs, with or without a crew: their window is on it.

    Today also has all jobs that are under way. Cancelled jobs and dumpsters
    that are only out are in no run.
    """
    start, end = bounds(day)
    jobs: JobQuerySet = Job.objects.with_window_in(start, end)
    if day == today:
        jobs = Job.objects.any_of(jobs, Job.objects.open().filter(status__in=UNDER_WAY))
    return jobs.exclude(status=Status.CANCELLED)


def in_order(jobs: Iterable[Job], order: Sequence[int]) -> list[Job]:
    """Return the jobs of one run, those in `order` first placed so, and the others by window."""
    rest = {job.pk: job for job in jobs}
    run = [rest.pop(pk) for pk in dict.fromkeys(order) if pk in rest]
    for job in sorted(rest.values(), key=_by_window):
        later = (place for place, one in enumerate(run) if _by_window(one) > _by_window(job))
        run.insert(next(later, len(run)), job)
    return run


def run_of(crew: Crew, day: date, *, today: date) -> list[Job]:
    """Return a crew's jobs of a day in order, with what lists show of them."""
    run = Run.objects.filter(crew=crew, day=day).first()
    jobs = on_day(day, today=today).filter(crew=crew).with_related()
    return in_order(jobs, run.order if run else [])


@transaction.atomic
def assign(
    *,
    job: Job,
    crew: Crew | None,
    day: date,
    actor: str,
    before: int | None = None,
    key: UUID | None = None,
) -> Job:
    """Give a job to a crew, in its run of the day before the job with the key `before`, or last.

    None takes the crew away. The event has the `key`. A job that is not in the runs of the day gets
    no place in one. Returns the updated job. Raises ValueRefused or JobChangedMeanwhile.
    """
    if crew is not None and not crew.active and crew.pk != job.crew_id:
        raise ValueRefused(f"{crew} is not active.", "Choose another crew.", field="crew")
    change_details(job=job, changes={"crew": crew}, actor=actor, key=key)
    if crew is not None:
        run = _locked(crew, day, actor)
        now = _keys(run)
        if job.pk in now:
            _save(run, _moved(now, job.pk, before), actor)
    return job


@transaction.atomic
def reorder(
    *, job: Job, day: date, actor: str, seen_revision: int, before: int | None = None
) -> Run:
    """Move a job within its crew's run, before the job with the key `before`, or last.

    `seen_revision` is that of the order as it was read, 0 for none. A job that has the place
    already stays there, so what is sent twice counts once. Raises RunChangedMeanwhile,
    JobChangedMeanwhile if another crew has it now, or ValueRefused if it is not in the run.
    """
    if job.crew is None:
        raise ValueRefused(f"{job.label} has no crew.", "Assign it to one first.", field="crew")
    run = _locked(job.crew, day, actor)
    now = _keys(run)
    if job.pk not in now:
        raise _not_in_run(job, day)
    order = _moved(now, job.pk, before)
    if order == now:
        return run
    if run.revision != seen_revision:
        raise RunChangedMeanwhile(
            f"The order of {job.crew} was changed by {run.actor} in the meantime.",
            "Check it as it is now, then move the job again.",
        )
    return _save(run, order, actor)


def _locked(crew: Crew, day: date, actor: str) -> Run:
    """Return the row of a run, locked until the transaction ends; revision 0 if it is new."""
    Run.objects.get_or_create(crew=crew, day=day, defaults={"actor": actor, "revision": 0})
    run: Run = Run.objects.select_for_update().get(crew=crew, day=day)
    return run


def _keys(run: Run) -> list[int]:
    """Return the keys of a run's jobs, in order."""
    jobs = on_day(run.day, today=timezone.localdate()).filter(crew=run.crew_id)
    return [job.pk for job in in_order(jobs, run.order)]


def _moved(now: Sequence[int], job: int, before: int | None) -> list[int]:
    """Return the keys with one moved before another, or last."""
    if job == before:
        return list(now)
    others = [pk for pk in now if pk != job]
    place = others.index(before) if before in others else len(others)
    return [*others[:place], job, *others[place:]]


def _not_in_run(job: Job, day: date) -> DispatchError:
    if not Job.objects.filter(pk=job.pk, crew=job.crew_id).exists():
        return changed_meanwhile(job)
    return ValueRefused(
        f"{job.label} is not in the run of {job.crew} on {day}.",
        "Give it a window on that day first.",
        field="window_start",
    )


def _save(run: Run, order: list[int], actor: str) -> Run:
    run.order = order
    run.revision += 1
    run.actor = actor
    run.save()
    return run


def _by_window(job: Job) -> tuple[bool, datetime, int]:
    """Sort by window, and jobs without one last."""
    start = job.window_start
    return start is None, start or job.created_at, job.number
