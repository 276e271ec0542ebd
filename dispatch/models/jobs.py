"""Jobs, their prices, and the counter that numbers them."""

from datetime import datetime
from typing import Any

from django.apps import apps
from django.db import models
from django.db.models import Case, Exists, F, OuterRef, Q, Subquery, When
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from dispatch.addresses import one_line
from dispatch.days import LONGEST_WINDOW
from dispatch.models.append_only import AppendOnly
from dispatch.models.catalogue import (
    LoadSize,
    PriceKind,
    ServiceType,
    price_label,
    price_text,
    range_has_two_ends,
)
from dispatch.models.people import Crew, Customer
from dispatch.models.windows import ServiceWindow
from dispatch.search.fields import SearchTextField
from dispatch.search.query import parse_query
from dispatch.search.text import text_of_job
from dispatch.statuses import (
    NOT_STARTED,
    OPEN,
    ServiceKind,
    Status,
    next_statuses,
)


class JobQuerySet(models.QuerySet["Job"]):
    """Sets of jobs. Methods that depend on the time take it as `now`."""

    def open(self) -> "JobQuerySet":
        """Jobs with work still to be done, by the index of open jobs."""
        return self.filter(is_open=True)

    def with_window_in(self, start: datetime, end: datetime) -> "JobQuerySet":
        """Jobs whose service window overlaps the half-open interval."""
        return self.filter(
            window_start__gt=start - LONGEST_WINDOW, window_start__lt=end, window_end__gt=start
        )

    def late(self, now: datetime) -> "JobQuerySet":
        """Jobs whose window has passed and whose work has not started."""
        return self.open().filter(_late(now))

    def any_of(self, *sets: "JobQuerySet") -> "JobQuerySet":
        """Jobs of any of the sets. Each is found by its own index, as those of an OR are not."""
        first, *others = (found.order_by().values("pk") for found in sets)
        return self.filter(pk__in=first.union(*others) if others else first)

    def unassigned(self) -> "JobQuerySet":
        """Open jobs with a window but no crew."""
        return self.open().filter(crew__isnull=True, window_start__isnull=False)

    def without_price(self) -> "JobQuerySet":
        """Open jobs with no price agreed yet."""
        return self.open().filter(prices__isnull=True)

    def out(self) -> "JobQuerySet":
        """Open jobs whose dumpster was placed: it is on site until the job has ended."""
        # Not a join: SQLite would begin with the services, and read all their jobs.
        dumpster = ServiceType.objects.filter(pk=OuterRef("service"), kind=ServiceKind.DUMPSTER)
        placed = Q(status=Status.ON_SITE) | Exists(
            _moves().filter(changes__status__0=Status.ON_SITE)
        )
        return self.open().filter(Exists(dumpster), placed).with_placed_at()

    def due_back(self, now: datetime) -> "JobQuerySet":
        """Dumpsters that are out and whose days of rental are used up."""
        # In no order: for that of the numbers, SQLite would read all jobs.
        out = self.out().select_related("service").order_by()
        return self.filter(pk__in=[job.pk for job in out if job.is_due_back(now)])

    def with_placed_at(self) -> "JobQuerySet":
        """Read with each job when its dumpster was placed, as `placed_at`, or None."""
        placings = _moves().filter(
            Q(changes__status__1=Status.ON_SITE) | Q(kind="created", status=Status.ON_SITE)
        )
        return self.annotate(placed_at=Subquery(placings.order_by("-pk").values("at")[:1]))

    def with_related(self) -> "JobQuerySet":
        """Fetch what lists show about a job, in a constant number of queries."""
        return self.select_related("customer", "service", "crew").prefetch_related("prices")

    def search(self, text: str) -> "JobQuerySet":
        """Jobs with every word: of number, names, phone, email and address.

        See dispatch.search.finding for the newest of them, and for mistyped words.
        """
        return self.filter(search_text__matches=parse_query(text))


class JobManager(models.Manager.from_queryset(JobQuerySet)):  # type: ignore[misc]
    """All jobs but probes, which only checks of the tracking pages make."""

    def get_queryset(self) -> JobQuerySet:
        jobs: JobQuerySet = super().get_queryset()
        return jobs.filter(is_probe=False)


def _moves() -> models.QuerySet[Any]:
    """Return the events of the job of an outer query, but for steps back."""
    events = apps.get_model("dispatch", "JobEvent")  # whose module imports this one
    found = events._default_manager.filter(job=OuterRef("pk"))
    return found.exclude(changes__has_key="step_back")


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

    class DayPart(models.TextChoices):
        MORNING = "morning", _("Morning, 8 to 12")
        AFTERNOON = "afternoon", _("Afternoon, 12 to 5")

    LoadSize = LoadSize

    class PlaceOnSite(models.TextChoices):
        CURB = "curb", _("At the curb or in the driveway")
        GARAGE = "garage", _("In a garage or shed")
        YARD = "yard", _("In the yard")
        GROUND_FLOOR = "ground_floor", _("Indoors, no stairs")
        STAIRS = "stairs", _("Indoors, up or down stairs")

    class Language(models.TextChoices):
        ENGLISH = "en", "English"
        SPANISH = "es", "Spanish"

    number = models.PositiveIntegerField(unique=True, editable=False)
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="jobs")
    # The lists' own indexes, below, begin with these three.
    service = models.ForeignKey(ServiceType, models.PROTECT, related_name="jobs", db_index=False)
    status = models.CharField(max_length=20, choices=Status.choices, default=Status.REQUESTED)
    # PROTECT, because deleting a crew would change its jobs without an event. Deactivate it.
    crew = models.ForeignKey(
        Crew, models.PROTECT, null=True, blank=True, related_name="jobs", db_index=False
    )
    contact_name = models.CharField("name", max_length=120)
    contact_email = models.EmailField("email", blank=True)
    address_line = models.CharField("street and number", max_length=120)
    unit = models.CharField(max_length=30, blank=True)
    town = models.CharField(max_length=80)
    zip_code = models.CharField("ZIP code", max_length=10)
    load_size = models.CharField("how much", max_length=20, choices=LoadSize.choices, blank=True)
    rental_days = models.PositiveSmallIntegerField("days of rental", null=True, blank=True)
    place_on_site = models.CharField(
        "where on the property", max_length=20, choices=PlaceOnSite.choices, blank=True
    )
    details = models.TextField("what and where", blank=True, max_length=2000)
    access_notes = models.TextField(
        blank=True,
        max_length=500,
        help_text="Gate codes and the like, for the crew. Deleted a day after the job has ended.",
    )
    requested_day = models.DateField(null=True, blank=True)
    requested_time = models.CharField(max_length=20, choices=DayPart.choices, blank=True)
    window_start = models.DateTimeField("window starts", null=True, blank=True)
    window_end = models.DateTimeField("window ends", null=True, blank=True)
    # The service window the job holds, with the units it takes in it (dispatch.windows.capacity).
    # A promised time without one is outside the windows.
    window = models.ForeignKey(
        ServiceWindow, models.PROTECT, null=True, blank=True, related_name="jobs", editable=False
    )
    window_units = models.PositiveSmallIntegerField(default=0, editable=False)
    requested_windows = models.ManyToManyField(
        ServiceWindow, through="RequestedWindow", related_name="+", editable=False
    )
    language = models.CharField(max_length=5, choices=Language.choices, default=Language.ENGLISH)
    on_hold = models.BooleanField(default=False)
    hold_reason = models.CharField(max_length=200, blank=True)
    cancel_side = models.CharField(max_length=10, choices=CancelSide.choices, blank=True)
    form_key = models.UUIDField(unique=True, null=True, blank=True, editable=False)
    # The id of an imported job in the former system, unless it was a number like ours.
    former_id = models.CharField(max_length=64, blank=True, default="", editable=False)
    is_probe = models.BooleanField(default=False, editable=False)
    search_text = SearchTextField(make=text_of_job, default="", editable=False)
    # Minutes after the window that the crew expects to arrive, and when it did.
    late_by = models.PositiveSmallIntegerField("late by, in minutes", default=0, editable=False)
    arrived_at = models.DateTimeField(null=True, blank=True, editable=False)
    # For partial indexes: a condition that both databases recognize in a query.
    is_open = models.GeneratedField(
        expression=Case(When(status__in=OPEN, then=True), default=False),
        output_field=models.BooleanField(),
        db_persist=True,
    )
    revision = models.PositiveIntegerField(default=1, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = JobManager()
    with_probes = JobQuerySet.as_manager()

    class Meta:
        ordering = ["-number"]
        permissions = [
            ("export", "Can export lists"),
            ("view_reports", "Can view the reports"),
        ]
        indexes = [
            models.Index(fields=["window_start"], name="job_by_window"),
            models.Index(
                fields=["window_start"], name="open_job_by_window", condition=Q(is_open=True)
            ),
            models.Index(
                fields=["crew", "window_start"], name="open_job_by_crew", condition=Q(is_open=True)
            ),
            # A page of a filtered list: the newest of them, without sorting all.
            models.Index(fields=["status", "number"], name="job_by_status"),
            models.Index(fields=["service", "number"], name="job_by_service"),
            models.Index(
                fields=["crew", "number"], name="job_by_crew", condition=Q(crew__isnull=False)
            ),
            models.Index(
                fields=["number"], name="job_without_crew", condition=Q(crew__isnull=True)
            ),
            models.Index(fields=["created_at"], name="job_by_creation"),
            models.Index(fields=["number"], name="held_job", condition=Q(on_hold=True)),
            # What is to be wiped each day.
            models.Index(fields=["number"], name="job_with_notes", condition=~Q(access_notes="")),
        ]
        constraints = [
            models.UniqueConstraint(
                name="one_job_per_former_id", fields=["former_id"], condition=~Q(former_id="")
            ),
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
                name="job_units_belong_to_a_window",
                condition=Q(window__isnull=True, window_units=0)
                | Q(window__isnull=False, window_units__gt=0, window_start__isnull=False),
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
    def address(self) -> str:
        """The service address on one line, for staff."""
        return one_line(self.address_line, self.unit, self.town, self.zip_code)

    @property
    def kind(self) -> ServiceKind:
        return ServiceKind(self.service.kind)

    @property
    def next_statuses(self) -> list[Status]:
        """The statuses the flow allows next."""
        return next_statuses(Status(self.status), self.kind)

    @property
    def was_placed(self) -> bool:
        """Whether the dumpster was placed; agrees with `out()`."""
        moved_on = (event.leaves_site for event in self.events.all())
        return self.status == Status.ON_SITE or any(moved_on)

    @property
    def price(self) -> "Price | None":
        """The latest agreed price, or None."""
        return max(self.prices.all(), key=lambda price: price.pk, default=None)

    @property
    def is_outside_windows(self) -> bool:
        """Whether an open job was promised a time that takes no room in a service window."""
        return self.window_start is not None and self.window_id is None and self.status in OPEN

    def is_late(self, now: datetime) -> bool:
        """Whether the window has passed without work starting; agrees with `late()`."""
        return self.window_end is not None and self.window_end <= now and self.status in NOT_STARTED

    @property
    def days_of_rental(self) -> int:
        """The days a dumpster may stay: those agreed, or else those in the service's price."""
        return self.service.included_days if self.rental_days is None else self.rental_days

    def days_out(self, now: datetime) -> int | None:
        """The days since the dumpster was placed, by calendar; None if it is not out.

        Only for jobs from `out` or `with_placed_at`.
        """
        placed_at: datetime | None = getattr(self, "placed_at", None)
        if placed_at is None or self.status not in OPEN:
            return None
        return (timezone.localtime(now).date() - timezone.localtime(placed_at).date()).days

    def is_due_back(self, now: datetime) -> bool:
        """Whether the dumpster is out and its days of rental are used up; see days_out."""
        days = self.days_out(now)
        return days is not None and days >= self.days_of_rental


class RequestedWindow(models.Model):
    """A window that the customer asked for; `rank` 1 is the first choice."""

    job = models.ForeignKey(Job, models.CASCADE)
    window = models.ForeignKey(ServiceWindow, models.CASCADE)
    rank = models.PositiveSmallIntegerField()

    class Meta:
        ordering = ["rank"]
        constraints = [
            models.UniqueConstraint(fields=["job", "rank"], name="one_requested_window_per_rank"),
            models.UniqueConstraint(fields=["job", "window"], name="window_requested_once"),
        ]

    def __str__(self) -> str:
        return f"{self.rank}. {self.window}"


class Price(AppendOnly):
    """A price quoted to the customer, in cents; only a range has `upper_cents`."""

    Kind = PriceKind

    job = models.ForeignKey(Job, models.PROTECT, related_name="prices")
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.ALL_IN)
    cents = models.PositiveIntegerField()
    upper_cents = models.PositiveIntegerField(null=True, blank=True)

    class Meta:
        ordering = ["pk"]
        constraints = [range_has_two_ends("price_range_has_two_ends")]

    def __str__(self) -> str:
        """Return text like "$600 all-in" or "$400 to $600"."""
        return price_text(self.kind, self.cents, self.upper_cents)

    @property
    def shown(self) -> str:
        """The price in the language that is active, for customers."""
        return price_label(self.kind, self.cents, self.upper_cents)
