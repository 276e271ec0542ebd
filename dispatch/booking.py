"""How a job comes to be: from the customer's form, or from the shell.

Whose name is it? The phone finds the customer, but the form is anonymous. So what was typed is
kept on the job, and a customer who is known already is not changed: a stranger who types
somebody's phone sees only the own words again, and the other jobs of that customer keep theirs.
Not even a missing e-mail is filled in: links are sent to it. Staff correct customers by hand.
"""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

import phonenumbers
from django.db import IntegrityError, transaction
from django.db.models import F

from dispatch.addresses import parse_address
from dispatch.changing import set_price
from dispatch.consent import record_consent
from dispatch.details import clean_fields
from dispatch.errors import ValueRefused
from dispatch.models import Counter, Customer, Job, JobEvent, ServiceType
from dispatch.prices import parse_price
from dispatch.signals import job_changed
from dispatch.statuses import ServiceKind, Status, flow_for, parse_status

DEFAULT_SERVICE = "junk"
FIRST_NUMBER = 1001


@dataclass(frozen=True, slots=True, kw_only=True)
class BookingRequest:
    """What somebody asks for. Phone in any format a US phone is written in; service by code.

    `consent_version` names the text (see consent.TEXTS) whose box was ticked, "" if it was not;
    `remote_address` is the IP address of the person, kept with a consent only.
    """

    name: str
    phone: str
    address_line: str
    town: str
    zip_code: str
    email: str = ""
    unit: str = ""
    service: str = DEFAULT_SERVICE
    load_size: str = ""
    details: str = ""
    access_notes: str = ""
    requested_day: date | None = None
    requested_time: str = ""
    consent_version: str = ""
    remote_address: str = ""


@dataclass(frozen=True, slots=True)
class Booked:
    """The job of a request; `created` is False when the form was sent before."""

    job: Job
    created: bool


def book(*, request: BookingRequest, form_key: UUID, actor: str = "customer") -> Booked:
    """Make a job of a request, once per form key, however often and at once it is sent.

    Raises ValueRefused; then nothing was written.
    """
    if first := _job_of(form_key):
        return Booked(first, created=False)
    try:
        job = _open_job(request=request, status=Status.REQUESTED, actor=actor, form_key=form_key)
    except IntegrityError:
        # The same form came in twice at once: the unique constraint let one of them through.
        first = _job_of(form_key)
        if first is None:
            raise
        return Booked(first, created=False)
    return Booked(job, created=True)


def create_job(
    *,
    name: str,
    phone: str,
    address: str,
    actor: str,
    email: str = "",
    service: str = DEFAULT_SERVICE,
    price: str = "",
    status: str = Status.REQUESTED.value,
) -> Job:
    """Make a job directly in a status, as the shell does: no step of the flow is walked.

    `address` reads "LINE, TOWN, ZIP", `price` as prices.parse_price takes it.
    Raises ValueRefused, StatusUnknown; then nothing was written.
    """
    to = parse_status(status)
    place = parse_address(address)
    parsed = parse_price(price) if price.strip() else None
    request = BookingRequest(
        name=name,
        phone=phone,
        email=email,
        service=service,
        address_line=place.line,
        unit=place.unit,
        town=place.town,
        zip_code=place.zip_code,
    )
    with transaction.atomic():
        job = _open_job(request=request, status=to, actor=actor)
        if parsed is not None:
            set_price(job=job, price=parsed, actor=actor)
    return job


def parse_phone(text: str) -> str:
    """Turn a phone as people write it into E.164. Raises ValueRefused."""
    hint = "Give ten digits with the area code, like 907-555-0142."
    if not text.strip():
        raise ValueRefused("A phone is missing.", hint)
    try:
        number = phonenumbers.parse(text, "US")
    except phonenumbers.NumberParseException:
        number = None
    if number is None or not phonenumbers.is_valid_number(number):
        raise ValueRefused(f"Expected a phone, found '{text}'.", hint)
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


@transaction.atomic
def _open_job(
    *, request: BookingRequest, status: Status, actor: str, form_key: UUID | None = None
) -> Job:
    job = _draft(request, status)
    # First of all locks: bookings queue up here, so none of them races for a customer below.
    job.number = _next_number()
    job.form_key = form_key
    job.customer = _customer(job, parse_phone(request.phone))
    job.save(force_insert=True)
    JobEvent.objects.create(
        job=job,
        kind=JobEvent.Kind.CREATED,
        status=status,
        revision=job.revision,
        actor=actor,
    )
    if request.consent_version:
        record_consent(job=job, version=request.consent_version, ip_address=request.remote_address)
    job_changed.send(sender=Job, job_id=job.pk)
    return job


def _draft(request: BookingRequest, status: Status) -> Job:
    """Check all that was asked for before anything is written."""
    parse_phone(request.phone)
    service = _service(request.service)
    _check_first_status(status, service)
    job = Job(
        service=service,
        status=status,
        contact_name=request.name,
        contact_email=request.email,
        address_line=request.address_line,
        unit=request.unit,
        town=request.town,
        zip_code=request.zip_code,
        load_size=request.load_size,
        details=request.details,
        access_notes=request.access_notes,
        requested_day=request.requested_day,
        requested_time=request.requested_time,
    )
    clean_fields(job)
    return job


def _check_first_status(status: Status, service: ServiceType) -> None:
    steps = [step.value for step in flow_for(ServiceKind(service.kind))]
    if status.value not in steps:
        raise ValueRefused(
            f"A new job for '{service}' cannot be '{status.value}'.",
            f"Use one of: {', '.join(steps)}.",
        )


def _service(code: str) -> ServiceType:
    active = ServiceType.objects.filter(active=True)
    service = active.filter(code=code).first()
    if service is None:
        codes = ", ".join(active.values_list("code", flat=True)) or "none is set up yet"
        raise ValueRefused(f"No service has the code '{code}'.", f"Use one of: {codes}.")
    return service


def _customer(job: Job, phone: str) -> Customer:
    typed = {"name": job.contact_name, "email": job.contact_email}
    return Customer.objects.get_or_create(phone=phone, defaults=typed)[0]


def _next_number() -> int:
    """Hand out the next number; its row stays locked to the end of the transaction."""
    row = Counter.objects.filter(name="job")
    if not row.update(value=F("value") + 1):
        Counter.objects.get_or_create(name="job", defaults={"value": FIRST_NUMBER - 1})
        row.update(value=F("value") + 1)
    return row.get().value


def _job_of(form_key: UUID) -> Job | None:
    return (
        Job.objects.select_related("customer", "service", "crew").filter(form_key=form_key).first()
    )
