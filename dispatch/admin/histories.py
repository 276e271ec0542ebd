"""The read-only timeline and prices on the job page."""

from django.contrib import admin
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from dispatch.admin.people import ReadOnlyInline
from dispatch.models import Job, JobEvent, Price
from dispatch.models.history import STEP_BACK, STEPS
from dispatch.statuses import Status
from dispatch.visits import VISIT

# Changes in other tables, which the history has under these names.
NO_FIELDS = {
    "price": "price",
    "photos": "photos",
    "price_answer": "customer's answer to the price",
    "pickup": "customer asks for the pickup",
    VISIT: "failed visit",
}


class EventInline(ReadOnlyInline):
    """The timeline, newest first."""

    model = JobEvent
    verbose_name_plural = "timeline"
    fields = ["at", "changed", "actor", "reason"]
    readonly_fields = fields
    ordering = ["-pk"]

    @admin.display(description="change")
    def changed(self, event: JobEvent) -> str:
        """Return the changes as text, one line per field."""
        shown = {name: change for name, change in event.changes.items() if name != STEPS}
        lines = [_line(name, *change) for name, change in shown.items()]
        if not lines or event.kind == JobEvent.Kind.CREATED:
            lines.insert(0, str(event))
        return format_html_join(SafeString("<br>"), "{}", [(line,) for line in lines])


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
    if name == "overridden":
        return f"went ahead with {_text(after)}"
    if name == STEP_BACK:
        return "step taken back"
    title = NO_FIELDS.get(name) or str(Job._meta.get_field(name).verbose_name)  # type: ignore[union-attr]
    return f"{title}: {_text(before)} → {_text(after)}"


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value) if value not in (None, "") else "none"
