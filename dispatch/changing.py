"""Changing jobs.

Every change goes through `change_job`: one conditional UPDATE of the row as the caller saw it, a
check of the row count, one JobEvent at the new revision, and the signal `job_changed`, all in one
transaction. Of two changes that start from the same revision, one wins; the other raises
JobChangedMeanwhile and writes nothing.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from dispatch import guards
from dispatch.details import check_details, history_value
from dispatch.errors import JobChangedMeanwhile, JobUnknown, MoveNotAllowed, ValueRefused
from dispatch.models import Job, JobEvent, Price
from dispatch.prices import ParsedPrice, record_price
from dispatch.search.keeping import OF_JOB, renew_job
from dispatch.search.text import JOB_NUMBER
from dispatch.signals import job_changed
from dispatch.statuses import FLOW, NOT_STARTED, Status
from dispatch.supplies import Supplies
from dispatch.windows.capacity import exchange, hold_after, hold_of

WINDOW = frozenset({"window_start", "window_end"})
OVERRIDE = "To go ahead without it, give a reason."


class AlreadyThere(MoveNotAllowed):
    """The job already has that status, and nothing was changed."""

    code = "already-there"


def job_by_number(text: str) -> Job:
    """Return the job with a number like `1042` or `QDN-1042`. Raises JobUnknown."""
    jobs = Job.objects.select_related("customer", "service", "crew")
    number = JOB_NUMBER.fullmatch(text.strip())
    found: Job | None = jobs.filter(number=int(number[1])).first() if number else None
    if found is None:
        raise JobUnknown(
            f"There is no job '{text}'.",
            "Look up the number in the list of jobs; it looks like QDN-1042.",
        )
    return found


@transaction.atomic
def change_job(
    *,
    job: Job,
    kind: JobEvent.Kind,
    changes: Mapping[str, Any],
    actor: str,
    reason: str = "",
    noted: Mapping[str, Any] | None = None,
    key: UUID | None = None,
    tapped_at: datetime | None = None,
    by_customer: bool = False,
    quiet: bool = False,
) -> None:
    """Write `changes` (field name to value), unless the job changed since `job` was read.

    The event records each change as [before, after], and `noted` for what is in no field. A `key`
    that another event has raises IntegrityError. A change `by_customer` takes no reserved room;
    customers get no message of a `quiet` one.
    Checks nothing but the revision: callers know what is allowed. What the job takes in a service
    window follows. Raises JobChangedMeanwhile or WindowFull.
    """
    if job.late_by and WINDOW & changes.keys():
        changes = {"late_by": 0, **changes}  # the delay was of the window before
    before = {name: history_value(job, name) for name in changes}
    held, hold = hold_of(job), hold_after(job, changes)
    revision = job.revision + 1
    values = {**changes, **hold.fields, "revision": revision, "updated_at": timezone.now()}
    unchanged = Job.with_probes.filter(pk=job.pk, revision=job.revision, status=job.status)
    if unchanged.update(**values) != 1:
        raise changed_meanwhile(job)
    exchange(held, hold, by_customer=by_customer)
    for name, value in values.items():
        setattr(job, name, value)
    if not OF_JOB.isdisjoint(changes):
        renew_job(job)
    written = {name: [old, history_value(job, name)] for name, old in before.items()}
    event = JobEvent.objects.create(
        job=job,
        kind=kind,
        status=job.status,
        changes={**written, **(noted or {})},
        revision=revision,
        actor=actor,
        reason=reason,
        key=key,
        tapped_at=tapped_at,
    )
    job_changed.send(sender=Job, job_id=job.pk, event=event, quiet=quiet)


def move_job(
    *,
    job: Job,
    to: Status,
    actor: str,
    reason: str = "",
    side: str = "",
    force: bool = False,
    noted: Mapping[str, Any] | None = None,
    key: UUID | None = None,
    tapped_at: datetime | None = None,
) -> Job:
    """Move a job to another status. Cancelling needs a side (customer, firm) and a reason.

    `force` with a reason overrides guards; the event records which, and `noted`. Returns the
    updated job. Raises AlreadyThere, MoveNotAllowed, GuardRefused, ValueRefused or
    JobChangedMeanwhile.
    """
    _check_flow(job=job, to=to, reason=reason, side=side)
    overridden = check_guards(job=job, to=to, reason=reason, force=force)
    changes: dict[str, Any] = {"status": to}
    if to == Status.CANCELLED:
        changes["cancel_side"] = side
    if FLOW[to].ends_window and job.window_start is not None:
        changes |= {"window_start": None, "window_end": None}
    changes |= news_of_visit(job, to)
    change_job(
        job=job,
        kind=JobEvent.Kind.STATUS,
        changes=changes,
        actor=actor,
        reason=reason,
        noted={**overridden, **(noted or {})},
        key=key,
        tapped_at=tapped_at,
    )
    return job


def news_of_visit(job: Job, to: Status) -> dict[str, Any]:
    """Return what changes of a crew's news when a job moves.

    A delay ends with the start of the work. An arrival counts while the crew is there, and after.
    """
    changes: dict[str, Any] = {}
    if job.late_by and to not in NOT_STARTED:
        changes["late_by"] = 0
    if job.arrived_at is not None and to in NOT_STARTED and to != Status.EN_ROUTE:
        changes["arrived_at"] = None
    return changes


@transaction.atomic
def supply(*, job: Job, supplies: Supplies, actor: str, reason: str = "") -> None:
    """Enter details and price: both, or nothing. Raises what change_details and set_price raise."""
    change_details(job=job, changes=supplies.details, actor=actor, reason=reason)
    if supplies.price is not None:
        set_price(job=job, price=supplies.price, actor=actor, reason=reason)


@transaction.atomic
def supply_and_move(
    *,
    job: Job,
    supplies: Supplies,
    to: Status,
    actor: str,
    reason: str = "",
    side: str = "",
    force: bool = False,
    dry_run: bool = False,
    move: Callable[..., Job] = move_job,
) -> Job:
    """Enter what the job lacks, then move it as `move` does: all of it, or nothing.

    `move` is move_job, or stepping.advance. A job that is already there gets the supplies. Returns
    the updated job; after a refusal or a dry run, read it again. Raises what change_details,
    set_price and `move` raise.
    """
    revision = job.revision
    supply(job=job, supplies=supplies, actor=actor, reason=reason)
    try:
        move(job=job, to=to, actor=actor, reason=reason, side=side, force=force)
    except AlreadyThere:
        if job.revision == revision:
            raise
    if dry_run:
        transaction.set_rollback(True)
    return job


def check_guards(
    *, job: Job, to: Status, reason: str = "", force: bool = False
) -> dict[str, list[str]]:
    """Raise GuardRefused if the job lacks what `to` needs, unless `force` with a reason overrides.

    Returns what the event records of the overridden guards; nothing if none was.
    """
    missing = guards.missing(job=job, to=to, now=timezone.now(), reason=reason)
    if not missing:
        return {}
    if not (force and reason.strip()):
        raise guards.GuardRefused(missing, OVERRIDE if force else "")
    return {"overridden": ["", ", ".join(one.words for one in missing)]}


def _check_flow(*, job: Job, to: Status, reason: str, side: str) -> None:
    if to == job.status:
        raise AlreadyThere(f"{job.label} is already '{to.label}'.", "Nothing was changed.")
    if to in job.next_statuses:
        if to == Status.CANCELLED:
            _check_cancelling(job, side, reason)
        return
    here = Status(job.status)
    allowed = ", ".join(f"{step.label} ({step.value})" for step in job.next_statuses)
    raise MoveNotAllowed(
        f"{job.label} cannot go from '{here.label}' to '{to.label}'.",
        f"From here it can go to: {allowed}." if allowed else "It is closed. Book a new job.",
    )


def change_details(
    *,
    job: Job,
    changes: Mapping[str, Any],
    actor: str,
    reason: str = "",
    key: UUID | None = None,
) -> Job:
    """Change any of details.FIELDS: crew, window, address, notes, hold and so on.

    Values that are already set are not changes and write no event. Times that equal a service
    window's take room in it; others are a promise outside the windows. Returns the updated job.
    Raises ValueRefused, WindowFull or JobChangedMeanwhile.
    """
    checked = check_details(job=job, changes=changes)
    if checked:
        change_job(
            job=job,
            kind=JobEvent.Kind.DETAILS,
            changes=checked,
            actor=actor,
            reason=reason,
            key=key,
        )
    return job


@transaction.atomic
def set_price(
    *,
    job: Job,
    price: ParsedPrice,
    actor: str,
    reason: str = "",
    key: UUID | None = None,
    tapped_at: datetime | None = None,
) -> None:
    """Add an agreed price. Earlier prices are kept; replacing one needs a reason.

    The same price again changes nothing. Raises ValueRefused or JobChangedMeanwhile.
    """
    before: Price | None = job.prices.order_by("pk").last()
    if before is not None:
        if price.matches(before):
            return
        if not reason.strip():
            raise ValueRefused(
                f"{job.label} already has the price {before}. Changing it needs a reason.",
                "Enter a reason; the customer may ask.",
            )
    row = record_price(job=job, price=price, actor=actor, reason=reason)
    change_job(
        job=job,
        kind=JobEvent.Kind.PRICE,
        changes={},
        noted={"price": [str(before or ""), str(row)]},
        actor=actor,
        reason=reason,
        key=key,
        tapped_at=tapped_at,
    )


def _check_cancelling(job: Job, side: str, reason: str) -> None:
    if side not in Job.CancelSide.values:
        raise ValueRefused(
            f"Cancelling {job.label} needs the side that cancels, found '{side}'.",
            f"Use one of: {', '.join(Job.CancelSide.values)}.",
        )
    if not reason.strip():
        raise ValueRefused(f"Cancelling {job.label} needs a reason.", "Enter a reason.")


def changed_meanwhile(job: Job) -> JobChangedMeanwhile:
    """Return the refusal of a change whose job is not as it was read, with the name of who did."""
    last = JobEvent.objects.filter(job_id=job.pk).order_by("pk").last()
    who = f" by {last.actor}" if last else ""
    return JobChangedMeanwhile(
        f"{job.label} was changed{who} in the meantime, so nothing was saved.",
        "Check the job as it is now, then repeat your change if it still applies.",
    )
