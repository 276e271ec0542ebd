"""Changing jobs.

Every change goes through `change_job`: one conditional UPDATE of the row as the caller saw it, a
check of the row count, one JobEvent at the new revision, and the signal `job_changed`, all in one
transaction. Of two changes that start from the same revision, one wins; the other raises
JobChangedMeanwhile and writes nothing.
"""

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils import timezone

from dispatch.details import check_details, history_value
from dispatch.errors import JobChangedMeanwhile, JobUnknown, MoveNotAllowed, ValueRefused
from dispatch.models import Job, JobEvent, Price
from dispatch.prices import ParsedPrice
from dispatch.searching import JOB_NUMBER
from dispatch.signals import job_changed
from dispatch.statuses import Status


class AlreadyThere(MoveNotAllowed):
    """The job already has that status, and nothing was changed."""

    code = "already-there"


def job_by_number(text: str) -> Job:
    """Return the job with a number like `1042` or `QDN-1042`. Raises JobUnknown."""
    jobs = Job.objects.select_related("customer", "service", "crew")
    number = JOB_NUMBER.fullmatch(text.strip())
    found = jobs.filter(number=int(number[1])).first() if number else None
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
) -> None:
    """Write `changes` (field name to value), unless the job changed since `job` was read.

    The event records each change as [before, after], or `noted` for a change in another table.
    Checks nothing but the revision: callers know what is allowed. Raises JobChangedMeanwhile.
    """
    before = {name: history_value(job, name) for name in changes}
    revision = job.revision + 1
    values = {**changes, "revision": revision, "updated_at": timezone.now()}
    unchanged = Job.objects.filter(pk=job.pk, revision=job.revision, status=job.status)
    if unchanged.update(**values) != 1:
        raise _changed_meanwhile(job)
    for name, value in values.items():
        setattr(job, name, value)
    written = noted or {name: [old, history_value(job, name)] for name, old in before.items()}
    JobEvent.objects.create(
        job=job,
        kind=kind,
        status=job.status,
        changes=written,
        revision=revision,
        actor=actor,
        reason=reason,
    )
    job_changed.send(sender=Job, job_id=job.pk)


def move_job(*, job: Job, to: Status, actor: str, reason: str = "", side: str = "") -> Job:
    """Move a job to another status. Cancelling needs a side (customer, firm) and a reason.

    Returns the updated job. Raises AlreadyThere, MoveNotAllowed, ValueRefused or
    JobChangedMeanwhile.
    """
    check_move(job=job, to=to, reason=reason, side=side)
    changes: dict[str, Any] = {"status": to}
    if to == Status.CANCELLED:
        changes["cancel_side"] = side
    change_job(job=job, kind=JobEvent.Kind.STATUS, changes=changes, actor=actor, reason=reason)
    return job


def check_move(*, job: Job, to: Status, reason: str = "", side: str = "") -> None:
    """Raise what move_job would: AlreadyThere, MoveNotAllowed or ValueRefused."""
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


def change_details(*, job: Job, changes: Mapping[str, Any], actor: str, reason: str = "") -> Job:
    """Change any of details.FIELDS: crew, window, address, notes, hold and so on.

    Values that are already set are not changes and write no event. Returns the updated job.
    Raises ValueRefused or JobChangedMeanwhile.
    """
    checked = check_details(job=job, changes=changes)
    if checked:
        change_job(job=job, kind=JobEvent.Kind.DETAILS, changes=checked, actor=actor, reason=reason)
    return job


@transaction.atomic
def set_price(*, job: Job, price: ParsedPrice, actor: str, reason: str = "") -> None:
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
    row = Price.objects.create(
        job=job,
        kind=price.kind,
        cents=price.cents,
        upper_cents=price.upper_cents,
        actor=actor,
        reason=reason,
    )
    change_job(
        job=job,
        kind=JobEvent.Kind.PRICE,
        changes={},
        noted={"price": [str(before or ""), str(row)]},
        actor=actor,
        reason=reason,
    )


def _check_cancelling(job: Job, side: str, reason: str) -> None:
    if side not in Job.CancelSide.values:
        raise ValueRefused(
            f"Cancelling {job.label} needs the side that cancels, found '{side}'.",
            f"Use one of: {', '.join(Job.CancelSide.values)}.",
        )
    if not reason.strip():
        raise ValueRefused(f"Cancelling {job.label} needs a reason.", "Enter a reason.")


def _changed_meanwhile(job: Job) -> JobChangedMeanwhile:
    last = JobEvent.objects.filter(job_id=job.pk).order_by("pk").last()
    who = f" by {last.actor}" if last else ""
    return JobChangedMeanwhile(
        f"{job.label} was changed{who} in the meantime, so nothing was saved.",
        "Check the job as it is now, then repeat your change if it still applies.",
    )
