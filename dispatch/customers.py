"""Correcting who is whose customer: finding one, merging two, moving a job to another.

A merge moves every job of one customer to another and deletes the first, in one transaction. What
is deleted stays in the field history, and each job has an event that names both.
"""

from dataclasses import dataclass

from django.db import transaction
from django.db.models import ProtectedError

from dispatch.booking import parse_phone
from dispatch.changing import change_job, job_by_number
from dispatch.errors import CustomerChangedMeanwhile, CustomerUnknown, ValueRefused
from dispatch.field_history import record
from dispatch.models import Customer, Job, JobEvent
from dispatch.search.text import JOB_NUMBER

REASON_LENGTH = 200


@dataclass(frozen=True)
class Merged:
    """What a merge did: the customer who was kept, and the jobs that moved to them."""

    customer: Customer
    jobs: list[Job]


def find_customer(text: str) -> Customer:
    """Return the customer with a phone, or of a job's number. Raises CustomerUnknown and others.

    Also raises JobUnknown, and ValueRefused for a text that is neither.
    """
    if JOB_NUMBER.fullmatch(text.strip()):
        found: Customer = job_by_number(text).customer
        return found
    phone = parse_phone(text)
    customer = Customer.objects.filter(phone=phone).first()
    if customer is None:
        raise CustomerUnknown(
            f"No customer has the phone number {text.strip()}.",
            "Check the number, or enter the number of one of the customer's jobs.",
        )
    return customer


@transaction.atomic
def merge_customers(*, keep: Customer, other: Customer, actor: str, reason: str) -> Merged:
    """Move all jobs of `other` to `keep` and delete `other`.

    `keep` gets the phone and the email of `other` if it has none. Customers hear nothing of it.
    Raises ValueRefused, CustomerChangedMeanwhile or JobChangedMeanwhile, and writes nothing then.
    """
    reason = _checked(reason)
    keep, other = _both(keep, other)
    jobs = list(Job.with_probes.filter(customer=other).select_related("customer").order_by("pk"))
    if any(job.is_probe for job in jobs):
        raise ValueRefused("The tracking check's customer cannot be merged.", "Choose another.")
    for job in jobs:
        _move(job, keep, actor, reason)
    described = other.described
    _delete(other, actor, f"Merged into {keep.described}: {reason}")
    _fill_gaps(keep, other, actor)
    record(keep, actor=actor, reason=f"Merged {described} into this customer: {reason}")
    return Merged(keep, jobs)


def move_job_to_customer(*, job: Job, customer: Customer, actor: str, reason: str) -> Job:
    """Give a job to another customer; its tracking link then opens with their phone.

    The name and email on the job stay as they were typed. For the customer who has it already,
    nothing changes. Raises ValueRefused or JobChangedMeanwhile.
    """
    reason = _checked(reason)
    if job.customer_id != customer.pk:
        _move(job, customer, actor, reason)
    return job


def _move(job: Job, customer: Customer, actor: str, reason: str) -> None:
    change_job(
        job=job,
        kind=JobEvent.Kind.DETAILS,
        changes={"customer": customer},
        actor=actor,
        reason=reason,
        quiet=True,
    )


def _checked(reason: str) -> str:
    if not (reason := reason.strip()):
        raise ValueRefused("This needs a reason.", "Enter why these belong together.")
    return reason[:REASON_LENGTH]


def _both(keep: Customer, other: Customer) -> tuple[Customer, Customer]:
    """Lock both rows, in one order for all who merge, and read them again."""
    if keep.pk == other.pk:
        raise ValueRefused("A customer cannot be merged with itself.", "Choose another customer.")
    rows = Customer.objects.select_for_update().filter(pk__in=[keep.pk, other.pk]).order_by("pk")
    found = {row.pk: row for row in rows}
    if len(found) != 2:  # noqa: PLR2004 - both of them
        raise CustomerChangedMeanwhile(
            "One of these customers was merged or removed in the meantime, so nothing was changed.",
            "Look for them again in the list of customers.",
        )
    return found[keep.pk], found[other.pk]


def _delete(customer: Customer, actor: str, reason: str) -> None:
    customer._history_user, customer._change_reason = actor, reason  # type: ignore[attr-defined]
    pk = customer.pk
    try:
        customer.delete()
    except ProtectedError:
        raise CustomerChangedMeanwhile(
            f"{customer} got another job in the meantime, so nothing was changed.",
            "Merge them again.",
        ) from None
    customer.pk = pk


def _fill_gaps(keep: Customer, other: Customer, actor: str) -> None:
    """Give the kept customer what only the other one had. A phone is free only after the other."""
    if (keep.phone or not other.phone) and (keep.email or not other.email):
        return
    keep.phone, keep.email = keep.phone or other.phone, keep.email or other.email
    keep._history_user = actor  # type: ignore[attr-defined]
    keep.save()
