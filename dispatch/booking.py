"""Creating jobs: from the customer's form, or from the shell.

The phone finds the customer, but the form is anonymous. So the name and email typed are kept on
the job, and an existing customer is not changed: a stranger who types another person's phone
sees only their own input, and that customer's other jobs stay as they are. Not even a missing
email is filled in, because links are sent to it. Staff correct customers by hand.
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
    """A request for a job. `phone` is in any US format, `service` is a code.

    `consent_version` is the key in consent.TEXTS of the text agreed to, or "". `remote_address`
    is the sender's IP address, stored only with a consent.
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
    """The job of a request; `created` is False if the form was sent before."""

    job: Job
    created: bool


def book(*, request: BookingRequest, form_key: UUID, actor: str = "customer") -> Booked:
    """Create a job, once per form key, even when requests arrive twice or concurrently.

    Raises ValueRefused, having written nothing.
    """
    if first := _job_of(form_key):
        return Booked(first, created=False)
    try:
        job = _open_job(request=request, status=Status.REQUESTED, actor=actor, form_key=form_key)
    except IntegrityError:
        # The same form arrived twice at once, and the unique constraint let one through.
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
    """Create a job directly in a status, without the steps before it.

    `address` is "LINE, TOWN, ZIP"; `price` is text for prices.parse_price, or "".
    Raises ValueRefused or StatusUnknown, having written nothing.
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
    """Return a US phone number in E.164, from any common format. Raises ValueRefused."""
    hint = "Enter ten digits with the area code, like 907-555-0142."
    if not text.strip():
        raise ValueRefused("The phone number is missing.", hint)
    try:
        number = phonenumbers.parse(text, "US")
    except phonenumbers.NumberParseException:
        number = None
    if number is None or not phonenumbers.is_valid_number(number):
        raise ValueRefused(f"Expected a phone number, found '{text}'.", hint)
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


@transaction.atomic
def _open_job(
    *, request: BookingRequest, status: Status, actor: str, form_key: UUID | None = None
) -> Job:
    phone = parse_phone(request.phone)
    job = _draft(request, status)
    # The first lock taken: bookings queue here, so they cannot race for a customer below.
    job.number = _next_number()
    job.form_key = form_key
    typed = {"name": job.contact_name, "email": job.contact_email}
    job.customer = Customer.objects.get_or_create(phone=phone, defaults=typed)[0]
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
    """Check the request before anything is written."""
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
        codes = ", ".join(active.values_list("code", flat=True)) or "(none set up yet)"
        raise ValueRefused(f"There is no service '{code}'.", f"Use one of: {codes}.")
    return service


def _next_number() -> int:
    """Return the next job number; its row stays locked until the transaction ends."""
    row = Counter.objects.filter(name="job")
    if not row.update(value=F("value") + 1):
        Counter.objects.get_or_create(name="job", defaults={"value": FIRST_NUMBER - 1})
        row.update(value=F("value") + 1)
    return row.get().value


def _job_of(form_key: UUID) -> Job | None:
    return (
        Job.objects.select_related("customer", "service", "crew").filter(form_key=form_key).first()
    )
