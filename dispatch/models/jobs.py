"""Jobs, their prices, and the counter that numbers them."""

from datetime import datetime

from django.db import models
from django.db.models import F, Q

from dispatch.days import local_day
from dispatch.models.append_only import AppendOnly
from dispatch.models.people import Crew, Customer, ServiceType
from dispatch.searching import matching
from dispatch.statuses import (
    FLOW,
    NOT_STARTED,
    OPEN,
    Board,
    ServiceKind,
    Status,
    next_statuses,
)


class JobQuerySet(models.QuerySet["Job"]):
    """Sets of jobs. Methods that depend on the time take it as `now`."""

    def open(self) -> "JobQuerySet":
        """Jobs with work still to be done."""
        return self.filter(status__in=OPEN)

    def with_window_in(self, start: datetime, end: datetime) -> "JobQuerySet":
        """Jobs whose service window overlaps the half-open interval."""
        return self.filter(window_start__lt=end, window_end__gt=start)

    def late(self, now: datetime) -> "JobQuerySet":
        """Jobs whose window has passed and whose work has not started."""
        return self.filter(_late(now))

    def unassigned(self) -> "JobQuerySet":
        """Open jobs with a window but no crew."""
        return self.open().filter(crew__isnull=True, window_start__isnull=False)

    def without_price(self) -> "JobQuerySet":
        """Open jobs with no price agreed yet."""
        return self.open().filter(prices__isnull=True)

    def today(self, now: datetime) -> "JobQuerySet":
        """Jobs on today's board, by the `board` column of the status table.

        Late jobs from earlier days stay until they are rescheduled.
        """
        start, end = local_day(now)
        window_today = Q(window_start__lt=end, window_end__gt=start)
        conditions = {
            Board.ALWAYS: Q(),
            Board.WINDOW_TODAY: window_today,
            Board.WINDOW_TODAY_OR_NONE: window_today | Q(window_start__isnull=True),
        }
        shown = _late(now)
        for board, condition in conditions.items():
            statuses = [status for status, step in FLOW.items() if step.board is board]
            shown |= Q(status__in=statuses) & condition
        return self.filter(shown)

    def with_related(self) -> "JobQuerySet":
        """Fetch what lists show about a job, in a constant number of queries."""
        return self.select_related("customer", "service", "crew").prefetch_related("prices")

    def search(self, text: str) -> "JobQuerySet":
        """Find jobs by number, name, phone (digits in any format) or address."""
        return self.filter(matching(text))


def _late(now: datetime) -> Q:
    return Q(window_end__lte=now, status__in=NOT_STARTED)


class Counter(models.Model):
    """A number that only grows. The row lock of its UPDATE makes each value unique."""

    name = models.CharField(max_length=20, primary_key=True)
    value = models.PositiveIntegerField()

    def __str__(self) -> str:
        return f"{self.name}: {self.value}"


class Job(models.Model):
    """Work for a customer at a service address.

    Every change raises `revision`, which shows which public documents are out of date. Change
    jobs only through dispatch.changing.
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
    # PROTECT, because deleting a crew would change its jobs without an event. Deactivate it.
    crew = models.ForeignKey(Crew, models.PROTECT, null=True, blank=True, related_name="jobs")
    contact_name = models.CharField("name", max_length=120)
    contact_email = models.EmailField("email", blank=True)
    address_line = models.CharField("street and number", max_length=120)
    unit = models.CharField(max_length=30, blank=True)
    town = models.CharField(max_length=80)
    zip_code = models.CharField("ZIP code", max_length=10)
    load_size = models.CharField("how much", max_length=20, choices=LoadSize.choices, blank=True)
    details = models.TextField("what and where", blank=True, max_length=2000)
    access_notes = models.TextField(
        blank=True, max_length=500, help_text="Gate codes and the like: crews only."
    )
    requested_day = models.DateField(null=True, blank=True)
    requested_time = models.CharField(max_length=20, choices=DayPart.choices, blank=True)
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
        """The number with its prefix: QDN-1042."""
        return f"QDN-{self.number}"

    @property
    def first_name(self) -> str:
        """The first word of the contact name, for staff; customers see tracking.places."""
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
        """The statuses the flow allows next."""
        return next_statuses(Status(self.status), self.kind)

    @property
    def price(self) -> "Price | None":
        """The latest agreed price, or None."""
        return max(self.prices.all(), key=lambda price: price.pk, default=None)

    def is_late(self, now: datetime) -> bool:
        """Whether the window has passed without work starting; agrees with `late()`."""
        return self.window_end is not None and self.window_end <= now and self.status in NOT_STARTED


class Price(AppendOnly):
    """A price quoted to the customer, in cents; only a range has `upper_cents`."""

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
        """Return text like "$600 all-in" or "$400 to $600"."""
        if self.upper_cents is not None:
            return f"{dollars(self.cents)} to {dollars(self.upper_cents)}"
        return f"{dollars(self.cents)} {self.get_kind_display()}"


def dollars(cents: int) -> str:
    """Format cents like $600 or $600.50."""
    whole, rest = divmod(cents, 100)
    return f"${whole:,}" + (f".{rest:02d}" if rest else "")
