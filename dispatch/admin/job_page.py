"""The job page: editing and moving a job, and booking one by phone."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.widgets import RelatedFieldWidgetWrapper
from django.db.models import DateTimeField, TextField
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html

from dispatch.admin.histories import EventInline, PriceInline
from dispatch.admin.job_forms import JobForm
from dispatch.admin.job_panel import panel_of
from dispatch.admin.moments import MomentField
from dispatch.admin.moving import actor_of, report_moved
from dispatch.admin.new_job_form import NewJobForm
from dispatch.admin.phone_booking import PhoneBookingAdmin
from dispatch.admin.photos import PhotosAdmin
from dispatch.admin.privacy import PrivateFieldsAdmin
from dispatch.admin.returning import next_url, where_from
from dispatch.admin.window_choice import hold_text, requested_text
from dispatch.booking import book
from dispatch.catalogue.pricing import quote_job
from dispatch.changing import move_job, supply, supply_and_move
from dispatch.errors import DispatchError, JobChangedMeanwhile
from dispatch.models import Job
from dispatch.next_steps import FAR
from dispatch.statuses import Status
from dispatch.stepping import advance, step_back
from dispatch.supplies import Supplies
from dispatch.windows.capacity import WindowFull

HOLD = ["on_hold", "hold_reason"]
PLACE = [("address_line", "unit"), ("town", "zip_code"), "access_notes"]
WINDOW = ["free_window", "window_start", "window_end", "takes"]
PRICE = ["list_price", "price_text", "reason", "seen_revision"]
WORK = [("service", "load_size"), ("rental_days", "place_on_site"), "details"]


class JobPageAdmin(PhoneBookingAdmin, PhotosAdmin, PrivateFieldsAdmin):
    """The page of a job. Every write goes through booking.py and changing.py."""

    inlines = [EventInline, PriceInline]
    readonly_fields = [
        *("list_price", "customer_line", "requested", "takes", "consent", "created_at"),
        "photo_strip",
    ]
    fieldsets = [
        # The panel at the top shows these to those who may change the job.
        ("Plan", {"fields": [*WINDOW, "crew", *PRICE, *HOLD], "classes": ["in-panel"]}),
        ("Work", {"fields": [*WORK, "requested", "photo_strip"]}),
        ("Place", {"fields": PLACE}),
        (
            "Customer",
            {
                "fields": [
                    "customer_line",
                    ("contact_name", "contact_email"),
                    ("language", "consent"),
                ]
            },
        ),
    ]
    add_fieldsets = [
        ("Customer", {"fields": [("phone", "contact_name"), ("contact_email", "language"), "key"]}),
        ("Work", {"fields": [*WORK, "price_text"]}),
        ("Place", {"fields": PLACE}),
        ("Plan", {"fields": ["free_window", "window_start", "window_end", "crew"]}),
    ]
    warn_unsaved_form = True
    formfield_overrides = {DateTimeField: {"form_class": MomentField}}
    private_fields = frozenset({"access_notes"})
    unsearchable_fields = ("access_notes", "form_key")

    def get_form(
        self, request: HttpRequest, obj: Job | None = None, change: bool = False, **kwargs: Any
    ) -> Any:
        kwargs["form"] = JobForm if obj else NewJobForm
        form: Any = super().get_form(request, obj, change, **kwargs)
        form.refused = getattr(request, "refused", None)  # the class is made for this request
        return form

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Keep the page short: low text areas, and choices without buttons to edit the chosen."""
        formfield = super().formfield_for_dbfield(db_field, request, **kwargs)
        if formfield and isinstance(formfield.widget, RelatedFieldWidgetWrapper):
            formfield.widget = formfield.widget.widget
        if isinstance(db_field, TextField) and formfield:
            formfield.widget.attrs["rows"] = 3
        return formfield

    def get_inlines(self, request: HttpRequest, obj: Job | None) -> list[Any]:
        return list(self.inlines) if obj else []

    def has_delete_permission(self, request: HttpRequest, obj: Job | None = None) -> bool:
        """Jobs are cancelled, never deleted."""
        return False

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        view: Callable[..., HttpResponse] = super().changeform_view
        try:
            return view(request, *args, **kwargs)
        except (JobChangedMeanwhile, WindowFull):
            # The job changed, or its window filled up, between the form's check and the write,
            # which was rolled back. On the second call the form shows that along with the input.
            return view(request, *args, **kwargs)
        except DispatchError as refusal:
            # The move was refused and the edit with it. The form shows why, and keeps the input.
            request.refused = refusal  # type: ignore[attr-defined]
            return view(request, *args, **kwargs)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        job = kwargs.get("obj")
        context |= {"show_save_and_add_another": False, "back_url": where_from(request)}
        if job is None:
            context["show_save_and_continue"] = False
        else:
            job = Job.objects.with_related().get(pk=job.pk)
            may = self.has_change_permission(request, job)
            context |= panel_of(job, now=timezone.now(), may_change=may)
        response: HttpResponse = super().render_change_form(request, context, *args, **kwargs)
        return response

    def save_model(self, request: HttpRequest, obj: Job, form: Any, change: bool) -> None:
        """Pass the input to booking and changing; never save `obj` itself."""
        if change:
            self._change(request, obj, form)
        else:
            self._book(request, obj, form)

    def _change(self, request: HttpRequest, obj: Job, form: JobForm) -> None:
        job = Job.objects.get(pk=obj.pk)
        job.revision = form.cleaned_data["seen_revision"]
        supplies = Supplies(form.changes, form.new_price)
        by: dict[str, Any] = {"job": job, "actor": actor_of(request)}
        if form.target is not None:
            by |= {"to": form.target, "force": form.forced}
            # Only to FAR does the page have a button for several steps.
            by["move"] = advance if form.target == FAR else move_job
            supply_and_move(supplies=supplies, reason=form.why, **by)
        else:
            supply(supplies=supplies, reason=form.why, **by)
        if form.steps_back:
            step_back(job=job, actor=by["actor"], reason=form.cleaned_data["back_reason"])
        if form.also_changed:
            messages.info(request, f"Also changed by {form.also_changed}.")
        obj.refresh_from_db()

    def response_change(self, request: HttpRequest, obj: Job) -> HttpResponse:
        """Stay on the page after a move; after saving, return to where one came from."""
        if "step_back" in request.POST:
            label = Status(obj.status).label
            messages.success(request, f"{obj.label} is back at “{label}”.")
        elif {"move_to", "force_to"} & request.POST.keys():
            report_moved(request, Status(obj.status), [obj.label])
        elif "_continue" not in request.POST:
            messages.success(request, f"{obj.label} is saved.")
            return HttpResponseRedirect(where_from(request))
        else:
            messages.success(request, f"{obj.label} is saved.")
        return HttpResponseRedirect(request.get_full_path())

    def response_add(
        self, request: HttpRequest, obj: Job, post_url_continue: str | None = None
    ) -> HttpResponse:
        """Lead to where one came from if the address says that, or else to the job."""
        page = reverse("admin:dispatch_job_change", args=[obj.pk])
        link = format_html('<a class="underline" href="{}">{}</a>', page, obj.label)
        status = Status(obj.status).label
        messages.success(request, format_html("{} is booked: {}.", link, status))
        return HttpResponseRedirect(next_url(request) or page)

    def _book(self, request: HttpRequest, obj: Job, form: NewJobForm) -> None:
        actor = actor_of(request)
        booked = book(request=form.to_request(), form_key=form.cleaned_data["key"], actor=actor)
        if booked.created:
            supplies = Supplies(form.planned)
            if form.has_window:
                to = Status.SCHEDULED
                supply_and_move(job=booked.job, supplies=supplies, to=to, actor=actor)
            else:
                supply(job=booked.job, supplies=supplies, actor=actor)
        else:
            messages.info(request, f"This form has already booked {booked.job.label}.")
        obj.pk = booked.job.pk
        obj._state.adding = False
        obj.refresh_from_db()

    @admin.display(description="Customer")
    def customer_line(self, job: Job) -> str:
        page = reverse("admin:dispatch_customer_change", args=[job.customer_id])
        other = reverse("admin:dispatch_job_customer", args=[job.pk])
        phone = job.customer.phone
        link = '<a class="text-primary-600" href="{}">{}</a>'
        call = format_html(link, phone.as_rfc3966, phone) if phone else "no phone number"
        change = format_html(link, other, "another customer")
        return format_html(
            f"{link}, {{}}. Not theirs? Choose {{}}.", page, job.customer, call, change
        )

    @admin.display(description="Price list", empty_value="To be agreed")
    def list_price(self, job: Job) -> str | None:
        """Return the price that a booking like this would get today."""
        price = quote_job(job, day=timezone.localdate())
        return str(price) if price else None

    @admin.display(description="Requested for", empty_value="-")
    def requested(self, job: Job) -> str | None:
        day = date_format(job.requested_day, "D M j, Y") if job.requested_day else ""
        part = str(Job.DayPart(job.requested_time).label) if job.requested_time else ""
        return ", ".join(filter(None, [day, part, requested_text(job)])) or None

    @admin.display(description="Service window", empty_value="-")
    def takes(self, job: Job) -> str | None:
        return hold_text(job)

    @admin.display(description="Text messages")
    def consent(self, job: Job) -> str:
        consent = getattr(job, "text_consent", None)
        return f"Agreed on {date_format(consent.at)}" if consent else "No consent"
