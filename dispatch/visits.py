"""What a crew reports of its visit: that it arrived, is late, or could not do the job."""

from datetime import datetime
from uuid import UUID

from django.db import models
from django.db.models import OuterRef, Q, Subquery
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from dispatch.changing import change_job, news_of_visit
from dispatch.errors import MoveNotAllowed, ValueRefused
from dispatch.models import Job, JobEvent, JobQuerySet
from dispatch.models.history import PLANS
from dispatch.statuses import NOT_STARTED, ServiceKind, Status

# What the event of a failed visit has its reason under.
VISIT = "visit"
DELAYS = (0, 15, 30, 60)
UNDER_WAY = frozenset({Status.EN_ROUTE, Status.IN_PROGRESS})


class Failure(models.TextChoices):
    """Why a crew could not do a job."""

    NOBODY_HOME = "nobody_home", _("No one was there")
    NO_ACCESS = "no_access", _("We could not get in")
    NOT_AS_BOOKED = "not_as_booked", _("Not what was booked")
    UNSAFE = "unsafe", _("Not safe")
    NOT_ALLOWED = "not_allowed", _("Items we cannot take")
    TRUCK = "truck", _("Truck trouble")
    OTHER = "other", _("Another reason")


def report_arrival(
    *, job: Job, actor: str, key: UUID | None = None, tapped_at: datetime | None = None
) -> Job:
    """Note when the crew arrived: `tapped_at`, or now. A second report changes nothing.

    Raises MoveNotAllowed or JobChangedMeanwhile.
    """
    if job.status not in UNDER_WAY:
        raise _not_under_way(job, "so no crew can arrive", "Start with “On the way”.")
    if job.arrived_at is None:
        now = timezone.now()
        changes: dict[str, object] = {"arrived_at": min(tapped_at or now, now)}
        if job.late_by:
            changes["late_by"] = 0
        _report(job, changes, actor, key, tapped_at)
    return job


def report_delay(
    *,
    job: Job,
    minutes: int,
    actor: str,
    key: UUID | None = None,
    tapped_at: datetime | None = None,
) -> Job:
    """Note that the crew expects to arrive up to `minutes` after the window; 0 takes it back.

    Raises ValueRefused, MoveNotAllowed or JobChangedMeanwhile.
    """
    if minutes not in DELAYS:
        raise ValueRefused(
            f"Expected a delay of {', '.join(map(str, DELAYS))} minutes, found {minutes}.",
            "Choose one of these.",
        )
    if job.status not in NOT_STARTED or job.arrived_at is not None:
        raise _not_under_way(job, "so it cannot run late")
    if job.window_start is None:
        raise MoveNotAllowed(f"{job.label} has no arrival window to be late for.", "Plan it first.")
    if job.late_by != minutes:
        _report(job, {"late_by": minutes}, actor, key, tapped_at)
    return job


def fail_visit(
    *,
    job: Job,
    why: Failure,
    actor: str,
    note: str = "",
    key: UUID | None = None,
    tapped_at: datetime | None = None,
) -> Job:
    """Record that the crew came and could not do the job, which returns to be scheduled.

    A dumpster that is out is ready for pickup again, and one that could not be placed stays
    scheduled. The window stays, for the office to replace; the customer gets no message, for the
    office calls. Raises MoveNotAllowed, ValueRefused or
    JobChangedMeanwhile.
    """
    if why == Failure.OTHER and not note.strip():
        raise ValueRefused("Another reason needs a note.", "Write what happened.", field="note")
    if job.status not in UNDER_WAY and not is_delivery(job, placed=job.was_placed):
        raise _not_under_way(job, "so no visit can fail")
    to = Status.READY_FOR_PICKUP if job.was_placed else Status.SCHEDULED
    changes: dict[str, object] = {"status": to} if job.status != to else {}
    if job.late_by:
        changes["late_by"] = 0
    change_job(
        job=job,
        kind=JobEvent.Kind.VISIT,
        changes={**changes, **news_of_visit(job, to)},
        noted={VISIT: ["", why.value]},
        actor=actor,
        reason=note,
        key=key,
        tapped_at=tapped_at,
        quiet=True,
    )
    return job


def is_delivery(job: Job, *, placed: bool) -> bool:
    """Whether the next visit brings a dumpster. `placed`: the job had one on site before.

    Such a visit has no status of its own on the way.
    """
    return job.kind == ServiceKind.DUMPSTER and job.status == Status.SCHEDULED and not placed


def _not_under_way(job: Job, so: str, hint: str = "Check the job as it is now.") -> MoveNotAllowed:
    return MoveNotAllowed(f"{job.label} is '{Status(job.status).label}', {so}.", hint)


def failed(jobs: JobQuerySet) -> JobQuerySet:
    """Return the jobs whose last visit failed and for which nothing was planned since."""
    planned = Q(changes__has_any_keys=sorted(PLANS))
    events = JobEvent.objects.filter(Q(kind=JobEvent.Kind.VISIT) | planned, job=OuterRef("pk"))
    last = Subquery(events.order_by("-pk").values("kind")[:1])
    return jobs.annotate(last_plan=last).filter(last_plan=JobEvent.Kind.VISIT)


def _report(
    job: Job,
    changes: dict[str, object],
    actor: str,
    key: UUID | None,
    tapped_at: datetime | None,
) -> None:
    change_job(
        job=job,
        kind=JobEvent.Kind.DETAILS,
        changes=changes,
        actor=actor,
        key=key,
        tapped_at=tapped_at,
    )
