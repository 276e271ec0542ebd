"""The job list and the job page."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet, TextField
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from unfold.admin import ModelAdmin
from unfold.decorators import display

from dispatch.admin.filters import NeedsFilter, WindowFilter
from dispatch.admin.histories import EventInline, PriceInline
from dispatch.admin.job_forms import JobForm, NewJobForm
from dispatch.admin.moving import actor_of, cancel_action, move_action, move_and_report
from dispatch.booking import book
from dispatch.changing import change_details, set_price
from dispatch.errors import JobChangedMeanwhile, StatusUnknown
from dispatch.models import Job
from dispatch.statuses import FLOW, Status, parse_status

COLOURS = {status: step.colour for status, step in FLOW.items()}
PLACE = [("address_line", "unit"), ("town", "zip_code"), "access_notes"]
WORK = [("service", "load_size"), "details"]


@admin.register(Job)
class JobAdmin(ModelAdmin):  # type: ignore[misc]  # unfold ships no types
    """The job list and page. Every write goes through booking.py and changing.py."""

    list_display = [
        "label",
        "status_label",
        "hold",
        "customer_and_phone",
        "service_and_town",
        "window",
        "crew",
        "price",
    ]
    list_filter = ["status", WindowFilter, NeedsFilter, "crew", "service", "on_hold", "created_at"]
    list_per_page = 50
    search_fields = ["number"]  # shows the box; get_search_results does the search
    search_help_text = "Number, name, phone or address"
    show_full_result_count = False
    ordering = ["-number"]
    inlines = [EventInline, PriceInline]
    readonly_fields = ["customer_line", "requested", "consent", "created_at"]
    fieldsets = [
        ("Plan", {"fields": ["window_start", "window_end", "crew", "on_hold", "hold_reason"]}),
        ("Price", {"fields": ["price_text", "reason", "seen_revision"]}),
        ("Work", {"fields": [*WORK, "requested"]}),
        ("Place", {"fields": PLACE}),
        (
            "Customer",
            {"fields": ["customer_line", ("contact_name", "contact_email"), "consent"]},
        ),
    ]
    add_fieldsets = [
        ("Customer", {"fields": [("phone", "contact_name"), "contact_email", "key"]}),
        ("Work", {"fields": [*WORK, "price_text"]}),
        ("Place", {"fields": PLACE}),
        ("Plan", {"fields": ["window_start", "window_end", "crew"]}),
    ]
    warn_unsaved_form = True
    change_form_outer_before_template = "dispatch/job_steps.html"

    # The list

    def get_queryset(self, request: HttpRequest) -> QuerySet[Job]:
        jobs: Any = super().get_queryset(request)
        return jobs.with_related()  # type: ignore[no-any-return]

    def get_search_results(
        self, request: HttpRequest, queryset: Any, search_term: str
    ) -> tuple[QuerySet[Job], bool]:
        return queryset.search(search_term), False

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
        return status, status.label

    @display(description="Customer", ordering="contact_name", header=True)  # type: ignore[untyped-decorator]
    def customer_and_phone(self, job: Job) -> list[str]:
        return [job.contact_name, _nowrap(str(job.customer.phone))]

    @display(description="Service, town", ordering="town", header=True)  # type: ignore[untyped-decorator]
    def service_and_town(self, job: Job) -> list[str]:
        return [job.service.name, job.town]

    @admin.display(description="Window", ordering="window_start", empty_value="-")
    def window(self, job: Job) -> str | None:
        if (text := window_text(job)) is None:
            return None
        day, times = text.split(", ", 1)
        late = " (late)" if job.is_late(timezone.now()) else ""
        return format_html("{}<br>{}", _nowrap(day + late), _nowrap(times))

    @admin.display(description="Price", empty_value="-")
    def price(self, job: Job) -> str | None:
        return str(job.price) if job.price else None

    @display(description="Hold", ordering="on_hold", label={"On hold": "warning"})  # type: ignore[untyped-decorator]
    def hold(self, job: Job) -> str | None:
        return "On hold" if job.on_hold else None

    # The page

    def get_form(
        self, request: HttpRequest, obj: Job | None = None, change: bool = False, **kwargs: Any
    ) -> Any:
        kwargs["form"] = JobForm if obj else NewJobForm
        return super().get_form(request, obj, change, **kwargs)

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Keep text areas short, so that the page needs less scrolling."""
        formfield = super().formfield_for_dbfield(db_field, request, **kwargs)
        if isinstance(db_field, TextField) and formfield:
            formfield.widget.attrs["rows"] = 3
        return formfield

    def get_inlines(self, request: HttpRequest, obj: Job | None) -> list[Any]:
        return list(self.inlines) if obj else []

    def has_delete_permission(self, request: HttpRequest, obj: Job | None = None) -> bool:
        """Jobs are cancelled, never deleted."""
        return False

    def get_urls(self) -> list[URLPattern]:
        move = self.admin_site.admin_view(self.move_view)
        urls: list[URLPattern] = super().get_urls()
        return [path("<int:pk>/move/", move, name="dispatch_job_move"), *urls]

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        view: Callable[..., HttpResponse] = super().changeform_view
        try:
            return view(request, *args, **kwargs)
        except JobChangedMeanwhile:
            # The job changed between the form's check and the write, which was rolled back. On the
            # second call the form sees the newer revision and shows it along with the input.
            return view(request, *args, **kwargs)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        job = kwargs.get("obj")
        if job is not None:
            context |= self._steps(request, Job.objects.get(pk=job.pk))
        response: HttpResponse = super().render_change_form(request, context, *args, **kwargs)
        return response

    def _steps(self, request: HttpRequest, job: Job) -> dict[str, Any]:
        may = self.has_change_permission(request, job)
        allowed = job.next_statuses if may else []
        steps = [step for step in allowed if step != Status.CANCELLED]
        return {
            "job": job,
            "status_colour": FLOW[Status(job.status)].colour,
            "late": job.is_late(timezone.now()),
            # Forward first: the first button is the highlighted one.
            "forward": [step for step in steps if _is_forward(job, step)],
            "back": [step for step in steps if not _is_forward(job, step)],
            "may_cancel": Status.CANCELLED in allowed,
            "move_url": reverse("admin:dispatch_job_move", args=[job.pk]),
            "list_url": reverse("admin:dispatch_job_changelist"),
        }

    def move_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Move the job as its button says, from the revision the page showed."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        job = get_object_or_404(Job.objects.select_related("service"), pk=pk)
        if not self.has_change_permission(request, job):
            raise PermissionDenied
        # The conditional update then refuses a move from an outdated page.
        revision = request.POST.get("revision", "")
        job.revision = int(revision) if revision.isdecimal() else 0
        try:
            to = parse_status(request.POST.get("to", ""))
        except StatusUnknown as refusal:
            messages.error(request, str(refusal))
        else:
            move_and_report(request=request, jobs=[job], to=to)
        return HttpResponseRedirect(reverse("admin:dispatch_job_change", args=[pk]))

    def save_model(self, request: HttpRequest, obj: Job, form: Any, change: bool) -> None:
        """Pass the input to booking and changing; never save `obj` itself."""
        if change:
            self._change(request, obj, form)
        else:
            self._book(request, obj, form)

    def _change(self, request: HttpRequest, obj: Job, form: JobForm) -> None:
        actor, reason = actor_of(request), form.cleaned_data["reason"]
        job = Job.objects.get(pk=obj.pk)
        job.revision = form.cleaned_data["seen_revision"]
        change_details(job=job, changes=form.changes, actor=actor, reason=reason)
        if form.new_price is not None:
            set_price(job=job, price=form.new_price, actor=actor, reason=reason)
        obj.refresh_from_db()

    def _book(self, request: HttpRequest, obj: Job, form: NewJobForm) -> None:
        actor = actor_of(request)
        booked = book(request=form.to_request(), form_key=form.cleaned_data["key"], actor=actor)
        if booked.created:
            change_details(job=booked.job, changes=form.planned, actor=actor)
            if form.new_price is not None:
                set_price(job=booked.job, price=form.new_price, actor=actor)
        else:
            messages.info(request, f"This form has already booked {booked.job.label}.")
        obj.pk = booked.job.pk
        obj._state.adding = False
        obj.refresh_from_db()

    @admin.display(description="Customer")
    def customer_line(self, job: Job) -> str:
        page = reverse("admin:dispatch_customer_change", args=[job.customer_id])
        phone = job.customer.phone
        link = '<a class="text-primary-600" href="{}">{}</a>'
        return format_html(f"{link}, {link}", page, job.customer, phone.as_rfc3966, phone)

    @admin.display(description="Requested for", empty_value="-")
    def requested(self, job: Job) -> str | None:
        day = date_format(job.requested_day, "D M j, Y") if job.requested_day else ""
        part = Job.DayPart(job.requested_time).label if job.requested_time else ""
        return ", ".join(filter(None, [day, part])) or None

    @admin.display(description="Text messages")
    def consent(self, job: Job) -> str:
        consent = getattr(job, "text_consent", None)
        return f"Agreed on {date_format(consent.at)}" if consent else "No consent"


def _nowrap(text: str) -> str:
    return format_html('<span class="whitespace-nowrap">{}</span>', text)


def _is_forward(job: Job, step: Status) -> bool:
    order = list(Status)
    return order.index(Status(job.status)) < order.index(step) < order.index(Status.CANCELLED)


def window_text(job: Job) -> str | None:
    """Format the window like "Fri Nov 20, 1 p.m. to 3 p.m.", or return None."""
    if job.window_start is None or job.window_end is None:
        return None
    start, end = timezone.localtime(job.window_start), timezone.localtime(job.window_end)
    until = date_format(end, "P" if start.date() == end.date() else "D M j, P")
    return f"{date_format(start, 'D M j, P')} to {until}"
