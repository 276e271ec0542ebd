"""Taking over jobs of a former system, many at a time. Customers get no message of it.

The events of an import have the reason IMPORTED. A job whose newest event has another reason was
changed here, and a later import leaves it as it is.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Max

from dispatch.addresses import Address
from dispatch.changing import change_job
from dispatch.models import Customer, Job, JobEvent, Price, ServiceType
from dispatch.numbers import take_numbers
from dispatch.prices import ParsedPrice, record_price
from dispatch.search.keeping import learn_jobs
from dispatch.statuses import Status

IMPORTED = "imported from the former system"
Changes = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class FormerJob:
    """A job as the former system had it, checked. `number` is None if its id is not one of ours.

    `phone` is E.164; it and `email` are "" where they are not known. `cancel_side` belongs to
    cancelled jobs.
    """

    number: int | None
    former_id: str
    name: str
    phone: str
    email: str
    address: Address
    service: ServiceType
    status: Status
    cancel_side: str
    price: ParsedPrice | None

    @property
    def fields(self) -> Changes:
        """The job's fields that the former system decides."""
        return {
            "contact_name": self.name,
            "address_line": self.address.line,
            "unit": self.address.unit,
            "town": self.address.town,
            "zip_code": self.address.zip_code,
            "service": self.service,
            "status": self.status.value,
            "cancel_side": self.cancel_side,
            **({"contact_email": self.email} if self.email else {}),
        }


def create_jobs(rows: Sequence[FormerJob], *, actor: str) -> list[Job]:
    """Create a job for each row, with its customer, price and first event, in their order.

    Call it in a transaction. Raises IntegrityError for a number, id or phone that another process
    has just written.
    """
    customers = _customers(rows)
    numbers = iter(take_numbers(sum(row.number is None for row in rows)))
    jobs: list[Job] = Job.objects.bulk_create(
        Job(
            number=row.number or next(numbers),
            former_id=row.former_id,
            customer=customer,
            **row.fields,
        )
        for row, customer in zip(rows, customers, strict=True)
    )
    learn_jobs(jobs)
    Price.objects.bulk_create(
        Price(
            job=job,
            kind=row.price.kind,
            cents=row.price.cents,
            upper_cents=row.price.upper_cents,
            actor=actor,
            reason=IMPORTED,
        )
        for row, job in zip(rows, jobs, strict=True)
        if row.price
    )
    JobEvent.objects.bulk_create(
        JobEvent(
            job=job,
            kind=JobEvent.Kind.CREATED,
            status=job.status,
            changes={"price": ["", str(row.price)]} if row.price else {},
            revision=job.revision,
            actor=actor,
            reason=IMPORTED,
        )
        for row, job in zip(rows, jobs, strict=True)
    )
    return jobs


def imported_revisions(jobs: Iterable[Job]) -> dict[int, int]:
    """Return the newest revision that an import wrote, by the key of each job that has one."""
    events = JobEvent.objects.filter(job__in=[job.pk for job in jobs], reason=IMPORTED)
    return dict(events.values_list("job").annotate(Max("revision")).order_by())


def differences(job: Job, row: FormerJob) -> Changes:
    """Return the fields in which the job differs from the row; what the row lacks does not count.

    A new `phone` and `price` are among them. Reads the job's customer and prices.
    """
    found: Changes = {
        name: value for name, value in row.fields.items() if getattr(job, name) != value
    }
    if row.phone and job.customer.e164 != row.phone:
        found["phone"] = row.phone
    if row.price and not (job.price and row.price.matches(job.price)):
        found["price"] = row.price
    return found


def update_job(*, job: Job, row: FormerJob, changes: Changes, actor: str) -> None:
    """Write the differences, as one event. Call it in a transaction. Raises JobChangedMeanwhile."""
    fields = {name: value for name, value in changes.items() if name not in {"phone", "price"}}
    noted, before = {}, job.price
    if "phone" in changes:
        (fields["customer"],) = _customers([row])
    if row.price and "price" in changes:
        price = record_price(job=job, price=row.price, actor=actor, reason=IMPORTED)
        noted["price"] = [str(before or ""), str(price)]
    change_job(
        job=job,
        kind=JobEvent.Kind.STATUS if "status" in fields else JobEvent.Kind.DETAILS,
        changes=fields,
        noted=noted,
        actor=actor,
        reason=IMPORTED,
        quiet=True,
    )


def _customers(rows: Sequence[FormerJob]) -> list[Customer]:
    """Return the customer of each row: by phone, or a new one without a phone.

    A customer who exists is not changed, as with bookings.
    """
    with_phone = {row.phone for row in rows if row.phone}
    found = Customer.objects.filter(phone__in=with_phone)
    known = {customer.e164: customer for customer in found}
    customers = []
    for row in rows:
        customer = known.get(row.phone) or Customer(
            name=row.name, phone=row.phone or None, email=row.email
        )
        customers.append(customer)
        if row.phone:
            known[row.phone] = customer
    Customer.objects.bulk_create({id(one): one for one in customers if one.pk is None}.values())
    return customers
