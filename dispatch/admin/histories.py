"""What happened to a job and what it was to cost: to read, on its page."""

from django.contrib import admin
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from dispatch.admin.people import ReadOnlyInline
from dispatch.models import Job, JobEvent, Price
from dispatch.statuses import Status


class EventInline(ReadOnlyInline):
    """The timeline, newest first. Rows are append-only."""

    model = JobEvent
    verbose_name_plural = "timeline"
    fields = ["at", "what", "actor", "reason"]
    readonly_fields = fields
    ordering = ["-pk"]

    @admin.display(description="what")
    def what(self, event: JobEvent) -> str:
        """Say in words what changed: one line for each field."""
        if not event.changes:
            return str(event)
        lines = [(_line(name, *change),) for name, change in event.changes.items()]
        return format_html_join(SafeString("<br>"), "{}", lines)


class PriceInline(ReadOnlyInline):
    model = Price
    verbose_name_plural = "prices"
    fields = ["at", "price", "actor", "reason"]
    readonly_fields = fields
    ordering = ["-pk"]

    @admin.display(description="price")
    def price(self, price: Price) -> str:
        return str(price)


def _line(name: str, before: object, after: object) -> str:
    if name == "status":
        return f"{Status(str(before)).label} → {Status(str(after)).label}"
    title = "price" if name == "price" else str(Job._meta.get_field(name).verbose_name)  # type: ignore[union-attr]
    return f"{title}: {_word(before)} → {_word(after)}"


def _word(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value) if value not in (None, "") else "none"
