"""What the firm offers: services, their prices, and the ZIP codes it serves."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from dispatch.field_history import FieldHistory
from dispatch.models.people import ShownWithJobs
from dispatch.statuses import ServiceKind

# A truck holds this many units; windows, services and loads are counted in them.
TRUCK_UNITS = 8


class LoadSize(models.TextChoices):
    """How much a customer has, as a part of a truck."""

    EIGHTH = "eighth", _("A few items (an eighth of a truck)")
    QUARTER = "quarter", _("A quarter of a truck")
    HALF = "half", _("Half a truck")
    THREE_QUARTERS = "three_quarters", _("Three quarters of a truck")
    FULL = "full", _("A full truck")
    MORE = "more", _("More than one truck")

    @property
    def units(self) -> int:
        """Return the eighths of a truck that a load of this size takes."""
        return LOAD_UNITS[self]


LOAD_UNITS = {
    LoadSize.EIGHTH: 1,
    LoadSize.QUARTER: 2,
    LoadSize.HALF: 4,
    LoadSize.THREE_QUARTERS: 6,
    LoadSize.FULL: TRUCK_UNITS,
    LoadSize.MORE: 2 * TRUCK_UNITS,
}


class PriceKind(models.TextChoices):
    """What a price promises; only a range has two amounts."""

    ALL_IN = "all_in", "all-in"
    ESTIMATE = "estimate", "estimate"
    RANGE = "range", "range"


def dollars(cents: int) -> str:
    """Format cents like $600 or $600.50."""
    whole, rest = divmod(cents, 100)
    return f"${whole:,}" + (f".{rest:02d}" if rest else "")


def price_text(kind: str, cents: int, upper_cents: int | None) -> str:
    """Return a price like "$600 all-in", "$250 estimate" or "$400 to $600", for parse_price."""
    if upper_cents is not None:
        return f"{dollars(cents)} to {dollars(upper_cents)}"
    return f"{dollars(cents)} {PriceKind(kind).label}"


def price_label(kind: str, cents: int, upper_cents: int | None) -> str:
    """Return a price in the language that is active, for customers."""
    amount = dollars(cents)
    if upper_cents is not None:
        return gettext("%(low)s to %(high)s") % {"low": amount, "high": dollars(upper_cents)}
    if kind == PriceKind.ALL_IN:
        return gettext("%(amount)s all-in") % {"amount": amount}
    return gettext("%(amount)s estimate") % {"amount": amount}


def range_has_two_ends(name: str) -> models.CheckConstraint:
    """Return the rule for `kind`, `cents` and `upper_cents` of a price."""
    return models.CheckConstraint(
        name=name,
        condition=Q(kind="range", upper_cents__gt=F("cents"))
        | (~Q(kind="range") & Q(upper_cents__isnull=True)),
    )


class ServiceType(ShownWithJobs):
    """A service customers can book. Its kind decides the steps of its jobs."""

    shown = ("name", "kind")

    code = models.SlugField(unique=True)
    name = models.CharField(max_length=80)
    kind = models.CharField(max_length=12, choices=ServiceKind.choices, default=ServiceKind.HAUL)
    description = models.CharField(max_length=200, blank=True)
    units = models.PositiveSmallIntegerField(
        default=2,
        validators=[MinValueValidator(1), MaxValueValidator(99)],
        help_text="Eighths of a truck that a job takes in its window if no load size is known.",
    )
    minutes_on_site = models.PositiveSmallIntegerField(
        default=45, validators=[MinValueValidator(5), MaxValueValidator(24 * 60)]
    )
    included_days = models.PositiveSmallIntegerField(
        default=7, help_text="Days of rental in the price. Dumpsters only."
    )
    instant_booking = models.BooleanField(
        default=False,
        help_text="Schedule a request at once if a window that the customer chose is free.",
    )
    active = models.BooleanField(default=True)
    position = models.PositiveSmallIntegerField(default=0)

    history = FieldHistory()

    class Meta:
        ordering = ["position", "name"]
        verbose_name = "service"

    def __str__(self) -> str:
        return self.name

    @property
    def shown_name(self) -> str:
        """The name in the language that is active, if it is one of a fresh installation."""
        return gettext(self.name) if self.name else ""

    @property
    def shown_description(self) -> str:
        """The description, as `shown_name`."""
        return gettext(self.description) if self.description else ""

    def units_of(self, load_size: str) -> int:
        """Return the units that a job of this service takes in its window."""
        if self.kind == ServiceKind.DUMPSTER or not load_size:
            return self.units
        return LoadSize(load_size).units


class PriceRule(models.Model):
    """A price of a service from a day on, for one load size or, if empty, for all.

    dispatch.catalogue.pricing chooses among them.
    """

    service = models.ForeignKey(ServiceType, models.CASCADE, related_name="price_rules")
    load_size = models.CharField(
        "how much", max_length=20, choices=LoadSize.choices, blank=True, help_text="Empty for all."
    )
    kind = models.CharField(max_length=10, choices=PriceKind.choices, default=PriceKind.ALL_IN)
    cents = models.PositiveIntegerField(validators=[MinValueValidator(1)])
    upper_cents = models.PositiveIntegerField(null=True, blank=True)
    extra_day_cents = models.PositiveIntegerField(
        default=0, help_text="For each day of rental beyond the included ones. Dumpsters only."
    )
    valid_from = models.DateField()

    history = FieldHistory()

    class Meta:
        ordering = ["service", "load_size", "valid_from"]
        constraints = [
            range_has_two_ends("price_rule_range_has_two_ends"),
            models.UniqueConstraint(
                fields=["service", "load_size", "valid_from"], name="one_price_rule_per_day"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.service}, {self.get_load_size_display() or 'any load'}"

    @property
    def price(self) -> str:
        """Text like "$600 all-in"."""
        return price_text(self.kind, self.cents, self.upper_cents)

    @property
    def lowest(self) -> str:
        """The lowest amount, like "$400"."""
        return dollars(self.cents)

    @property
    def extra_day(self) -> str:
        """The amount for each day beyond the included ones, like "$20"."""
        return dollars(self.extra_day_cents)


class ServedZip(models.Model):
    """A ZIP code the firm serves. With no rows, it serves all."""

    zip_code = models.CharField("ZIP code", max_length=5, unique=True)
    town = models.CharField(max_length=80, blank=True)
    surcharge_cents = models.PositiveIntegerField("surcharge", default=0)

    class Meta:
        ordering = ["zip_code"]
        verbose_name = "served ZIP code"

    def __str__(self) -> str:
        return f"{self.zip_code} {self.town}".strip()

    @property
    def surcharge(self) -> str:
        """What a job here costs more, like "$25"."""
        return dollars(self.surcharge_cents)


class AreaInterest(models.Model):
    """A person outside the service area who wants to hear when it grows."""

    zip_code = models.CharField("ZIP code", max_length=5, db_index=True)
    email = models.EmailField()
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-at"]
        constraints = [
            models.UniqueConstraint(fields=["zip_code", "email"], name="one_interest_per_zip")
        ]
        verbose_name = "request from outside the area"
        verbose_name_plural = "requests from outside the area"

    def __str__(self) -> str:
        return f"{self.email}, {self.zip_code}"
