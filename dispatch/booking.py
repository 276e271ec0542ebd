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
from django.utils import timezone

from dispatch import consent
from dispatch.addresses import parse_address
from dispatch.booking_limits import count_booking
from dispatch.catalogue.pricing import PriceChanged, check_shown, quote_job
from dispatch.changing import change_details, change_job, check_guards, set_price
from dispatch.consent import record_consent
from dispatch.details import clean_fields
from dispatch.errors import ValueRefused
from dispatch.limits import LimitReached
from dispatch.models import Customer, Job, JobEvent, ServiceType
from dispatch.numbers import take_numbers
from dispatch.prices import ParsedPrice, record_price
from dispatch.search.keeping import learn_jobs
from dispatch.signals import job_changed
from dispatch.statuses import ServiceKind, Status, flow_for, parse_status
from dispatch.supplies import parse_supplies
from dispatch.windows.capacity import WindowFull
from dispatch.windows.wishes import Wishes, keep_wishes

DEFAULT_SERVICE = "junk"
# The actor of prices that come from the rules.
PRICE_LIST = "price list"


@dataclass(frozen=True, slots=True, kw_only=True)
class BookingRequest:
    """A request for a job. `phone` is in any US format, `service` is a code.

    `consent_version` is the key in consent.TEXTS of the text agreed to, or "". `remote_address`
    is the sender's IP address, or ""; it is stored only with a consent. `windows` are keys of up to
    three service windows, the first choice first.

    `price` is what the customer was shown, or None if nothing; `agreed_price` is one that staff
    agreed on, which needs no rule.
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
    rental_days: int | None = None
    place_on_site: str = ""
    details: str = ""
    access_notes: str = ""
    requested_day: date | None = None
    requested_time: str = ""
    language: str = Job.Language.ENGLISH.value
    consent_version: str = ""
    remote_address: str = ""
    windows: tuple[int, ...] = ()
    price: ParsedPrice | None = None
    agreed_price: ParsedPrice | None = None


@dataclass(frozen=True, slots=True)
class Booked:
    """The job of a request; `created` is False if the form was sent before."""

    job: Job
    created: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A request that was checked: the job, not saved yet, and what was read for it."""

    request: BookingRequest
    job: Job
    phone: str
    price: ParsedPrice | None
    customer: Customer | None
    wishes: Wishes | None


def book(
    *,
    request: BookingRequest,
    form_key: UUID,
    actor: str = "customer",
    limited: bool = False,
) -> Booked:
    """Create a job, once per form key, even when requests arrive twice or concurrently.

    With instant booking, the job takes the first of the request's windows that has room and is
    scheduled; otherwise it is requested, and those with room are kept as the customer's wishes. It
    gets the price that staff agreed on, or else that of the price list, if it has one. With
    `limited`, the booking counts towards the limits of its address and phone. Raises ValueRefused,
    LimitReached, WindowFull or PriceChanged, having written nothing.
    """
    if first := _job_of(form_key):
        return Booked(first, created=False)
    try:
        draft = _draft(request, Status.REQUESTED, priced=True)
        draft.job.form_key = form_key
        with transaction.atomic():
            job = _open_job(draft, actor=actor, limited=limited)
            check_guards(job=job, to=Status(job.status))
    except (IntegrityError, LimitReached, WindowFull, PriceChanged):
        # The same form may have arrived twice at once; the unique constraint let one through, or
        # it was the last that the limits, its window or the price list allowed.
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
    window: str = "",
    crew: str = "",
    reason: str = "",
    force: bool = False,
) -> Job:
    """Create a job directly in a status, without the steps before it, at no listed price.

    It must have what that status needs; `force` with a reason overrides this. `address` is
    "LINE, TOWN, ZIP"; `price`, `window` and `crew` are texts for parse_supplies, or "".
    Raises ValueRefused, StatusUnknown, GuardRefused or WindowFull, having written nothing.
    """
    to = parse_status(status)
    place = parse_address(address)
    supplies = parse_supplies(window=window, crew=crew, price=price)
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
        job = _open_job(_draft(request, to), actor=actor)
        change_details(job=job, changes=supplies.details, actor=actor)
        if supplies.price is not None:
            set_price(job=job, price=supplies.price, actor=actor)
        _check_first_needs(job, actor=actor, reason=reason, force=force)
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


def _draft(request: BookingRequest, status: Status, *, priced: bool = False) -> Draft:
    """Check the request, and read what does not change with other bookings: no lock is held yet."""
    phone = parse_phone(request.phone)
    consent.check_version(request.consent_version)
    job = _draft_job(request, status)
    return Draft(
        request=request,
        job=job,
        phone=phone,
        price=_price_of(request, job) if priced else None,
        customer=Customer.objects.filter(phone=phone).first(),
        wishes=Wishes.of(job, request.windows) if request.windows else None,
    )


def _open_job(draft: Draft, *, actor: str, limited: bool = False) -> Job:
    """Write the job and what belongs to it. Call it in a transaction."""
    request, job = draft.request, draft.job
    wished = draft.wishes.take_or_wish(job) if draft.wishes else []
    job.customer = draft.customer or _customer(draft)
    learn_jobs([job])
    # From here on bookings queue, so this is taken late.
    (job.number,) = take_numbers(1)
    if limited:
        count_booking(address=request.remote_address, phone=draft.phone)
    job.save(force_insert=True)
    keep_wishes(job, wished)
    if draft.price is not None:
        by = actor if request.agreed_price else PRICE_LIST
        record_price(job=job, price=draft.price, actor=by)
    event = JobEvent.objects.create(
        job=job,
        kind=JobEvent.Kind.CREATED,
        status=job.status,
        changes={"price": ["", str(draft.price)]} if draft.price else {},
        revision=job.revision,
        actor=actor,
    )
    if request.consent_version:
        record_consent(job=job, version=request.consent_version, ip_address=request.remote_address)
    job_changed.send(sender=Job, job_id=job.pk, event=event)
    return job


def _customer(draft: Draft) -> Customer:
    """Return the customer of the phone, created unless another booking has just done so."""
    typed = Customer(phone=draft.phone, name=draft.job.contact_name, email=draft.job.contact_email)
    # It waits for that booking, and then locks no row: one that is locked here before the counter
    # is could be waited for by a booking that has the counter.
    Customer.objects.bulk_create([typed], ignore_conflicts=True)
    return Customer.objects.get(phone=draft.phone)


def _price_of(request: BookingRequest, job: Job) -> ParsedPrice | None:
    """Return the price to record, or None if it is to be agreed. Raises PriceChanged."""
    if request.agreed_price is not None:
        return request.agreed_price
    price = quote_job(job, day=timezone.localdate())
    check_shown(shown=request.price, price=price)
    return price


def _draft_job(request: BookingRequest, status: Status) -> Job:
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
        rental_days=request.rental_days,
        place_on_site=request.place_on_site,
        details=request.details,
        access_notes=request.access_notes,
        requested_day=request.requested_day,
        requested_time=request.requested_time,
        language=request.language,
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


def _check_first_needs(job: Job, *, actor: str, reason: str, force: bool) -> None:
    """Check the guards of the job's status; record what was overridden. Raises GuardRefused."""
    overridden = check_guards(job=job, to=Status(job.status), reason=reason, force=force)
    if overridden:
        change_job(
            job=job,
            kind=JobEvent.Kind.DETAILS,
            changes={},
            noted=overridden,
            actor=actor,
            reason=reason,
        )


def _service(code: str) -> ServiceType:
    active = ServiceType.objects.filter(active=True)
    service = active.filter(code=code).first()
    if service is None:
        codes = ", ".join(active.values_list("code", flat=True)) or "(none set up yet)"
        raise ValueRefused(f"There is no service '{code}'.", f"Use one of: {codes}.")
    return service


def _job_of(form_key: UUID) -> Job | None:
    # Most keys are new, and this question is the cheap one.
    found = Job.objects.filter(form_key=form_key).values_list("pk", flat=True).first()
    if found is None:
        return None
    job: Job = Job.objects.select_related("customer", "service", "crew").get(pk=found)
    return job
