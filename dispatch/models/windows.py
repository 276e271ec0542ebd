"""Service windows: how much work the firm promises for which hours."""

from typing import Self

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q

from dispatch.models.catalogue import TRUCK_UNITS


class BookingSettings(models.Model):
    """The firm's rules for booking: one row, which the admin edits."""

    lead_hours = models.PositiveSmallIntegerField(
        default=12,
        help_text="Customers can book windows that start at least this many hours from now.",
    )
    horizon_days = models.PositiveSmallIntegerField(
        default=60,
        validators=[MinValueValidator(1), MaxValueValidator(365)],
        help_text="Windows are made, and offered to customers, this many days ahead.",
    )
    reserve_percent = models.PositiveSmallIntegerField(
        default=15,
        validators=[MaxValueValidator(100)],
        help_text="The part of each window that only staff can fill.",
    )
    cutoff_hours = models.PositiveSmallIntegerField(
        default=24,
        help_text="Customers can move or cancel until this many hours before their window.",
    )
    answer_hours = models.PositiveSmallIntegerField(
        default=4,
        validators=[MinValueValidator(1)],
        help_text="Working hours within which you answer a request, as the pages promise.",
    )

    class Meta:
        verbose_name = "booking settings"
        verbose_name_plural = "booking settings"

    def __str__(self) -> str:
        return "Booking settings"

    @classmethod
    def load(cls) -> Self:
        """Return the row, or the defaults if it was never saved."""
        return cls.objects.filter(pk=1).first() or cls(pk=1)


class WindowTemplate(models.Model):
    """A window that recurs every week, at times of the firm's time zone."""

    class Weekday(models.IntegerChoices):
        MONDAY = 0, "Monday"
        TUESDAY = 1, "Tuesday"
        WEDNESDAY = 2, "Wednesday"
        THURSDAY = 3, "Thursday"
        FRIDAY = 4, "Friday"
        SATURDAY = 5, "Saturday"
        SUNDAY = 6, "Sunday"

    weekday = models.PositiveSmallIntegerField(choices=Weekday.choices)
    start = models.TimeField("from")
    end = models.TimeField("to")
    units = models.PositiveSmallIntegerField(
        default=2 * TRUCK_UNITS,
        validators=[MaxValueValidator(999)],
        help_text="Eighths of a truck, for all crews together.",
    )

    class Meta:
        ordering = ["weekday", "start"]
        constraints = [
            models.UniqueConstraint(
                fields=["weekday", "start", "end"], name="one_template_per_window"
            ),
            models.CheckConstraint(name="template_is_an_interval", condition=Q(start__lt=F("end"))),
        ]

    def __str__(self) -> str:
        return f"{self.get_weekday_display()}, {self.start:%H:%M} to {self.end:%H:%M}"


class WindowException(models.Model):
    """A day that differs from the templates.

    Without times, the whole day gets `units` in each window: 0 closes it. With times, that window
    gets `units`, and is added if no template has it.
    """

    day = models.DateField()
    start = models.TimeField("from", null=True, blank=True, help_text="Empty for the whole day.")
    end = models.TimeField("to", null=True, blank=True)
    units = models.PositiveSmallIntegerField(
        default=0, validators=[MaxValueValidator(999)], help_text="0 closes it."
    )
    reason = models.CharField(max_length=200)
    actor = models.CharField(max_length=150, blank=True, editable=False)

    class Meta:
        ordering = ["day", "start"]
        constraints = [
            models.UniqueConstraint(
                fields=["day", "start", "end"], name="one_exception_per_window"
            ),
            models.UniqueConstraint(
                fields=["day"], condition=Q(start__isnull=True), name="one_exception_per_whole_day"
            ),
            models.CheckConstraint(
                name="exception_is_an_interval",
                condition=Q(start__isnull=True, end__isnull=True) | Q(start__lt=F("end")),
            ),
        ]

    def __str__(self) -> str:
        if self.start is None or self.end is None:
            return f"{self.day}, whole day"
        return f"{self.day}, {self.start:%H:%M} to {self.end:%H:%M}"


class ServiceWindow(models.Model):
    """Hours for which the firm promises arrivals, with room for `units` eighths of a truck.

    `taken` is the sum of the `window_units` of the jobs that hold the window. Only
    dispatch.windows.capacity changes it. Customers get at most `public_units`; the rest is the
    reserve for staff.
    """

    start = models.DateTimeField()
    end = models.DateTimeField()
    units = models.PositiveSmallIntegerField()
    public_units = models.PositiveSmallIntegerField()
    taken = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["start", "end"]
        constraints = [
            models.UniqueConstraint(fields=["start", "end"], name="one_window_per_interval"),
            models.CheckConstraint(name="window_is_an_interval", condition=Q(start__lt=F("end"))),
            models.CheckConstraint(
                name="window_is_not_overbooked", condition=Q(taken__lte=F("units"))
            ),
            models.CheckConstraint(
                name="window_reserve_is_part_of_it", condition=Q(public_units__lte=F("units"))
            ),
        ]

    def __str__(self) -> str:
        return f"{self.start:%Y-%m-%d %H:%M} to {self.end:%H:%M} UTC"
