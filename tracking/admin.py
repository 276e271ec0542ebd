"""The tracking link on a job's page: copy, replace or revoke it. Lists never show links."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString
from unfold.widgets import UnfoldAdminRadioSelectWidget, UnfoldAdminTextInputWidget

from dispatch.admin import JobAdmin
from dispatch.models import Job
from tracking.errors import TrackingError
from tracking.links import ensure_link, revoke_link, rotate, tracking_url
from tracking.models import TrackingLink

REPLACE, REVOKE = "replace", "revoke"

admin.site.unregister(Job)


class EndLinkForm(forms.Form):
    """Whether to replace or revoke a link, and why."""

    end = forms.ChoiceField(
        label="What do you want to do with this link?",
        choices=[
            (REPLACE, "Replace it: the old link stops working and you get a new one to send"),
            (REVOKE, "Revoke it: the customer can no longer follow the job"),
        ],
        initial=REPLACE,
        widget=UnfoldAdminRadioSelectWidget,
        error_messages={"required": "Choose whether to replace or revoke the link."},
    )
    reason = forms.CharField(
        max_length=300,
        widget=UnfoldAdminTextInputWidget,
        error_messages={"required": "Enter a reason. It is kept with the link."},
    )


@admin.register(Job)
class TrackedJobAdmin(JobAdmin):
    """The job page, with its tracking link."""

    readonly_fields = [*JobAdmin.readonly_fields, "tracking_link"]
    fieldsets = [*JobAdmin.fieldsets, ("Tracking page", {"fields": ["tracking_link"]})]

    class Media:
        js = ["tracking/copy.js"]

    @admin.display(description="Link for the customer")
    def tracking_link(self, job: Job) -> SafeString:
        link = active_link(job)
        context = {
            "url": tracking_url(link) if link else "",
            "manage": reverse("admin:tracking_job_link", args=[job.pk]),
        }
        return render_to_string("tracking/admin_link.html", context)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.link_view)
        return [
            path("<int:pk>/tracking-link/", view, name="tracking_job_link"),
            *super().get_urls(),
        ]

    def link_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Replace or revoke a job's link after asking for a reason, or create a missing link."""
        job = get_object_or_404(Job, pk=pk)
        if not self.has_change_permission(request, job):
            raise PermissionDenied
        link = active_link(job)
        form = EndLinkForm(request.POST or None) if link else None
        if request.method == "POST" and (form is None or form.is_valid()):
            change_link(request=request, job=job, link=link, form=form)
            return HttpResponseRedirect(reverse("admin:dispatch_job_change", args=[pk]))
        context = {
            **self.admin_site.each_context(request),
            "title": f"Tracking link for {job.label}",
            "opts": Job._meta,
            "job": job,
            "form": form,
        }
        return TemplateResponse(request, "tracking/admin_end_link.html", context)


def active_link(job: Job) -> TrackingLink | None:
    """Return the job's active link, or None."""
    return TrackingLink.objects.active().filter(job=job).select_related("job").first()


def change_link(
    *, request: HttpRequest, job: Job, link: TrackingLink | None, form: Any | None
) -> None:
    """Create, replace or revoke the link, and report the result as a message."""
    actor = request.user.get_username()
    try:
        if link is None or form is None:
            ensure_link(job=job, actor=actor)
            messages.success(request, f"{job.label} now has a tracking link.")
        elif form.cleaned_data["end"] == REPLACE:
            rotate(link=link, actor=actor, reason=form.cleaned_data["reason"])
            messages.success(request, f"{job.label} has a new link. Send it to the customer.")
        else:
            revoke_link(link=link, actor=actor, reason=form.cleaned_data["reason"])
            messages.success(request, f"The tracking link for {job.label} no longer works.")
    except TrackingError as refusal:
        messages.warning(request, str(refusal))
