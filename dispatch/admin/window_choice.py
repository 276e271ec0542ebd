"""The service windows that the job page offers, and what it says about the job's own."""

from django import forms
from django.utils import timezone
from unfold.widgets import UnfoldAdminSelectWidget

from dispatch.days import interval_text
from dispatch.models import Job, RequestedWindow, ServiceWindow
from dispatch.windows.offering import free_for_staff

OFFERED = 20


def window_field() -> forms.ModelChoiceField:  # type: ignore[type-arg]  # not subscriptable when run
    """Return the field for a choice of windows; offer_windows fills it."""
    return forms.ModelChoiceField(
        ServiceWindow.objects.none(),
        label="Free window",
        required=False,
        widget=UnfoldAdminSelectWidget,
        help_text="Replaces the times.",
    )


def offer_windows(field: forms.ModelChoiceField, job: Job) -> None:  # type: ignore[type-arg]
    """Offer the windows that the customer asked for, then the next with room."""
    now = timezone.now()
    # Wider than what is offered: a window that has filled up meanwhile is refused as full.
    field.queryset = ServiceWindow.objects.filter(end__gt=now)
    asked = [one.window for one in requested(job) if one.window.end > now]
    units = job.service.units_of(job.load_size)
    free = [one for one in free_for_staff(units=units, now=now, count=OFFERED) if one not in asked]
    field.choices = [
        ("", "Times as entered"),
        *((one.pk, f"{_described(one)}, asked for") for one in asked),
        *((one.pk, _described(one)) for one in free),
    ]


def requested(job: Job) -> list[RequestedWindow]:
    """Return the windows that the customer asked for, the first choice first."""
    return list(RequestedWindow.objects.filter(job=job).select_related("window"))


def requested_text(job: Job) -> str:
    """Return the windows that the customer asked for as text, or ""."""
    windows = [one.window for one in requested(job)]
    return "; ".join(interval_text(one.start, one.end) for one in windows)


def hold_text(job: Job) -> str | None:
    """Say what the job takes in its window, or that its time is outside the windows."""
    if job.window is not None:
        return f"Takes {job.window_units} units. Taken: {job.window.taken} of {job.window.units}."
    return "Outside the windows: takes no room." if job.is_outside_windows else None


def _described(window: ServiceWindow) -> str:
    times = interval_text(window.start, window.end)
    return f"{times} ({window.taken} of {window.units} taken)"
