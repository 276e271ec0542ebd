"""Jobs and what belongs to them. State changes live in booking.py and changing.py."""

from datetime import datetime
from typing import Any, NoReturn

from django.db import models
from django.db.models import F, Q
from phonenumber_field.modelfields import PhoneNumberField

from dispatch.querysets import AppendOnlyError, AppendOnlyQuerySet, JobQuerySet
from dispatch.statuses import NOT_STARTED, ServiceKind, Status, next_statuses


class Customer(models.Model):
    """A person work is done for. The phone is E.164 and names the customer.

    Only staff change a customer. What somebody typed into the booking form stands on the job
    (`contact_name`, `contact_email`): the form is anonymous, and whoever types a stranger's
    phone must neither learn that customer's name nor change it.
    """

    name = models.CharField(max_length=120)
    phone = PhoneNumberField(unique=True)
    email = models.EmailField("e-mail", blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class ServiceType(models.Model):
    """What can be booked."""

    code = models.SlugField(unique=True)
    name = models.CharField(max_length=80)
    kind = models.CharField(max_length=12, choices=ServiceKind.choices, default=ServiceKind.HAUL)
    description = models.CharField(max_length=200, blank=True)
    active = models.BooleanField(default=True)
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["position", "name"]
        verbose_name = "service"

    def __str__(self) -> str:
        return self.name


class Crew(models.Model):
    """People and truck sent together."""

    name = models.CharField(max_length=60, unique=True)
    active = models.BooleanField(default=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Counter(models.Model):
    """A number that only grows; the row lock of its UPDATE hands out each value once."""

    name = models.CharField(max_length=20, primary_key=True)
    value = models.PositiveIntegerField()

    def __str__(self) -> str:
        return f"{self.name}: {self.value}"


class Job(models.Model):
    """Work for a customer at a service address.

    `revision` is raised with every change, so that whoever publishes what a customer may see
    knows which documents are behind. Change a job through dispatch.changing only.
    """

    class CancelSide(models.TextChoices):
        CUSTOMER = "customer", "Customer"
        FIRM = "firm", "Firm"

    class LoadSize(models.TextChoices):
        EIGHTH = "eighth", "A few items (an eighth of a truck)"
        QUARTER = "quarter", "A quarter of a truck"
        HALF = "half", "Half a truck"
        THREE_QUARTERS = "three_quarters", "Three quarters of a truck"
        FULL = "full", "A full truck"
        MORE = "more", "More than one truck"

    class DayPart(models.TextChoices):
        MORNING = "morning", "Morning, 8 to 12"
        AFTERNOON = "afternoon", "Afternoon, 12 to 5"

    number = models.PositiveIntegerField(unique=True, editable=False)
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="jobs")
    service = models.ForeignKey(ServiceType, models.PROTECT, related_name="jobs")
    status = models.CharField(
        max_length=20, choices=Status.choices, default=Status.REQUESTED, db_index=True
    )
    # PROTECT: a deleted crew would change its jobs without an event. Crews are made inactive.
    crew = models.ForeignKey(Crew, models.PROTECT, null=True, blank=True, related_name="jobs")
    contact_name = models.CharField("name", max_length=120)
    contact_email = models.EmailField("e-mail", blank=True)
    address_line = models.CharField("street and number", max_length=120)
    unit = models.CharField(max_length=30, blank=True)
    town = models.CharField(max_length=80)
    zip_code = models.CharField("ZIP code", max_length=10)
    load_size = models.CharField("how much", max_length=20, choices=LoadSize.choices, blank=True)
    details = models.TextField("what and where", blank=True, max_length=2000)
    access_notes = models.TextField(
        blank=True, max_length=500, help_text="Gate codes and the like: crews only."
    )
    wished_day = models.DateField("day asked for", null=True, blank=True)
    wished_part = models.CharField(
        "part of the day asked for", max_length=20, choices=DayPart.choices, blank=True
    )
    window_start = models.DateTimeField("window starts", null=True, blank=True)
    window_end = models.DateTimeField("window ends", null=True, blank=True)
    on_hold = models.BooleanField(default=False)
    hold_reason = models.CharField(max_length=200, blank=True)
    cancel_side = models.CharField(max_length=10, choices=CancelSide.choices, blank=True)
    form_key = models.UUIDField(unique=True, null=True, blank=True, editable=False)
    revision = models.PositiveIntegerField(default=1, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = JobQuerySet.as_manager()

    class Meta:
        ordering = ["-number"]
        indexes = [models.Index(fields=["window_start"], name="job_by_window")]
        constraints = [
            models.CheckConstraint(
                name="job_window_is_an_interval",
                condition=Q(window_start__isnull=True, window_end__isnull=True)
                | Q(window_start__lt=F("window_end")),
            ),
            models.CheckConstraint(
                name="job_status_is_known", condition=Q(status__in=Status.values)
            ),
            models.CheckConstraint(
                name="job_hold_has_a_reason", condition=Q(on_hold=False) | ~Q(hold_reason="")
            ),
            models.CheckConstraint(
                name="job_cancelled_has_a_side",
                condition=~Q(status=Status.CANCELLED) | ~Q(cancel_side=""),
            ),
        ]

    def __str__(self) -> str:
        return self.label

    @property
    def label(self) -> str:
        """The number as people say it: QDN-1042."""
        return f"QDN-{self.number}"

    @property
    def first_name(self) -> str:
        """The first word of the name typed at booking, for staff; see tracking.places."""
        return next(iter(self.contact_name.split()), "")

    @property
    def address(self) -> str:
        """The service address on one line, for staff."""
        line = f"{self.address_line}, {self.unit}" if self.unit else self.address_line
        return f"{line}, {self.town}, {self.zip_code}"

    @property
    def kind(self) -> ServiceKind:
        return ServiceKind(self.service.kind)

    @property
    def next_statuses(self) -> list[Status]:
        """Where the flow lets this job go."""
        return next_statuses(Status(self.status), self.kind)

    @property
    def price(self) -> "Price | None":
        """The price agreed last, or None while it is open."""
        return max(self.prices.all(), key=lambda price: price.pk, default=None)

    def is_late(self, now: datetime) -> bool:
        """Tell whether the window has passed and work has not started, as `late()` does."""
        return self.window_end is not None and self.window_end <= now and self.status in NOT_STARTED


class AppendOnly(models.Model):
    """A row of a history."""

    at = models.DateTimeField(auto_now_add=True)
    actor = models.CharField(max_length=150)
    reason = models.CharField(max_length=300, blank=True)

    objects = AppendOnlyQuerySet.as_manager()

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise AppendOnlyError(f"{type(self).__name__} rows are never changed.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise AppendOnlyError(f"{type(self).__name__} rows are never deleted.")


class Price(AppendOnly):
    """What the customer was told. Cents; a range has an upper end."""

    class Kind(models.TextChoices):
        ALL_IN = "all_in", "all-in"
        ESTIMATE = "estimate", "estimate"
        RANGE = "range", "range"

    job = models.ForeignKey(Job, models.PROTECT, related_name="prices")
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.ALL_IN)
    cents = models.PositiveIntegerField()
    upper_cents = models.PositiveIntegerField(null=True, blank=True)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                name="price_range_has_two_ends",
                condition=Q(kind="range", upper_cents__gt=F("cents"))
                | (~Q(kind="range") & Q(upper_cents__isnull=True)),
            )
        ]

    def __str__(self) -> str:
        """Read as people say it: $600 all-in."""
        if self.upper_cents is not None:
            return f"{dollars(self.cents)} to {dollars(self.upper_cents)}"
        return f"{dollars(self.cents)} {self.get_kind_display()}"


class JobEvent(AppendOnly):
    """One change of a job: who, when, why, and what was changed."""

    class Kind(models.TextChoices):
        CREATED = "created", "Created"
        STATUS = "status", "Status"
        DETAILS = "details", "Details"
        PRICE = "price", "Price"

    job = models.ForeignKey(Job, models.PROTECT, related_name="events")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    status = models.CharField(max_length=20, choices=Status.choices)
    changes = models.JSONField(default=dict)
    revision = models.PositiveIntegerField()

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["job", "revision"], name="one_event_per_revision")
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.get_status_display()}"


class TextConsent(models.Model):
    """Proof that somebody asked for text messages: what they read, when, from which address."""

    job = models.OneToOneField(Job, models.PROTECT, related_name="text_consent")
    at = models.DateTimeField(auto_now_add=True)
    version = models.CharField("version of the text", max_length=20)
    text = models.TextField("what was agreed to")
    ip_address = models.GenericIPAddressField("from address", null=True, blank=True)

    class Meta:
        verbose_name = "consent to text messages"
        verbose_name_plural = "consents to text messages"

    def __str__(self) -> str:
        return f"Consent to text messages, {self.version}"


def dollars(cents: int) -> str:
    """Write cents as people do: $600, $600.50."""
    whole, rest = divmod(cents, 100)
    return f"${whole:,}" + (f".{rest:02d}" if rest else "")
