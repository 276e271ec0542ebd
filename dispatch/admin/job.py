"""The job list. The job page is in job_page.py."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from unfold.decorators import display

from dispatch.admin.customers import JobCustomerAdmin
from dispatch.admin.filters import BookedFilter, NeedsFilter, WindowFilter, WorkFilter
from dispatch.admin.job_page import JobPageAdmin
from dispatch.admin.moving import cancel_action, move_action
from dispatch.admin.saved_views import SavedViewsAdmin
from dispatch.admin.searching import SearchedAdmin
from dispatch.days import interval_text
from dispatch.models import Job
from dispatch.search.finding import Found, search_jobs
from dispatch.statuses import FLOW, Status

COLOURS = {status: step.colour for status, step in FLOW.items()}


@admin.register(Job)
class JobAdmin(SavedViewsAdmin, SearchedAdmin, JobCustomerAdmin, JobPageAdmin):
    """The job list."""

    list_display = [
        "label",
        "status_label",
        "hold",
        "customer_and_phone",
        "service_and_town",
        "when",
        "crew",
        "price",
    ]
    list_filter = [
        *("status", WindowFilter, WorkFilter, NeedsFilter),
        *("crew", "service", "on_hold", BookedFilter),
    ]
    search_help_text = "Number, name, phone, email or address"
    newest_first = True
    ordering = ["-number"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Job]:
        jobs: Any = super().get_queryset(request)
        return jobs.with_related()  # type: ignore[no-any-return]

    def find(self, text: str, among: QuerySet[Job]) -> Found:
        return search_jobs(text, among)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Add an action for each status to move to; cancelling asks for confirmation."""
        actions: dict[str, Any] = super().get_actions(request)
        if not self.has_change_permission(request):
            return actions
        for status in Status:
            if status not in (Status.REQUESTED, Status.CANCELLED):
                action = move_action(status)
                actions[action[1]] = action
        actions["cancel_jobs"] = (cancel_action, "cancel_jobs", "Cancel…")
        return actions

    @admin.display(description="Number", ordering="number")
    def label(self, job: Job) -> str:
        return job.label

    @display(description="Status", ordering="status", label=COLOURS)  # type: ignore[untyped-decorator]
    def status_label(self, job: Job) -> tuple[Status, str]:
        status = Status(job.status)
        return status, str(status.label)

    @display(description="Customer", ordering="contact_name", header=True)  # type: ignore[untyped-decorator]
    def customer_and_phone(self, job: Job) -> list[str]:
        return [job.contact_name, _nowrap(str(job.customer.phone or ""))]

    @display(description="Service, town", ordering="town", header=True)  # type: ignore[untyped-decorator]
    def service_and_town(self, job: Job) -> list[str]:
        return [job.service.name, job.town]

    @admin.display(description="Window", ordering="window_start", empty_value="-")
    def when(self, job: Job) -> str | None:
        if (text := window_text(job)) is None:
            return None
        day, times = text.split(", ", 1)
        late = " (late)" if job.is_late(timezone.now()) else ""
        lines = [day + late, times, *(["outside windows"] if job.is_outside_windows else [])]
        return format_html_join(SafeString("<br>"), "{}", [(_nowrap(line),) for line in lines])

    @admin.display(description="Price", empty_value="-")
    def price(self, job: Job) -> str | None:
        return str(job.price) if job.price else None

    @display(description="Hold", ordering="on_hold", label={"On hold": "warning"})  # type: ignore[untyped-decorator]
    def hold(self, job: Job) -> str | None:
        return "On hold" if job.on_hold else None


def _nowrap(text: str) -> str:
    return format_html('<span class="whitespace-nowrap">{}</span>', text)


def window_text(job: Job) -> str | None:
    """Format the window like "Fri Nov 20, 1 p.m. to 3 p.m.", or return None."""
    if job.window_start is None or job.window_end is None:
        return None
    return interval_text(job.window_start, job.window_end)
