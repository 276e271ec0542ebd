"""The tracking link on a job's page: copy, send, replace or revoke it. Lists never show links.

Below the list of jobs is how far publishing is behind.
"""

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
from tracking.backlog import read_backlog
from tracking.link_actions import NO_REASON, Do, active_link, carry_out, link_action
from tracking.links import ensure_link, tracking_url

admin.site.unregister(Job)


class LinkForm(forms.Form):
    """What to do with a link, and why, unless it is only sent again."""

    do = forms.ChoiceField(
        label="What do you want to do with this link?",
        choices=Do.choices,
        initial=Do.RESEND,
        widget=UnfoldAdminRadioSelectWidget,
        error_messages={"required": "Choose whether to send, replace or revoke the link."},
    )
    reason = forms.CharField(
        label="Why replace or revoke it?",
        required=False,
        max_length=300,
        widget=UnfoldAdminTextInputWidget,
    )

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or self.cleaned_data
        if values.get("do") not in (None, Do.RESEND) and not values.get("reason", "").strip():
            self.add_error("reason", NO_REASON)
        return values


@admin.register(Job)
class TrackedJobAdmin(JobAdmin):
    """The job page, with its tracking link."""

    readonly_fields = [*JobAdmin.readonly_fields, "tracking_link"]
    private_fields = JobAdmin.private_fields | {"tracking_link"}
    fieldsets = [*JobAdmin.fieldsets, ("Tracking page", {"fields": ["tracking_link"]})]
    list_after_template = "tracking/admin_backlog.html"

    class Media:
        js = ["tracking/copy.js"]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the list, and below it how far publishing is behind."""
        context = {"backlog": read_backlog(), **(extra_context or {})}
        answer: HttpResponse = super().changelist_view(request, context)
        return answer

    @admin.display(description="Link for the customer")
    def tracking_link(self, job: Job) -> SafeString:
        link = active_link(job)
        context = {
            "link": link,
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

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Add what can be done with the links of the selected jobs."""
        actions = super().get_actions(request)
        if self.has_change_permission(request):
            for do in Do:
                action = link_action(do)
                actions[action[1]] = action
        return actions

    def link_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Send, replace or revoke a job's link, or create a missing link."""
        job = get_object_or_404(Job, pk=pk)
        if not self.has_change_permission(request, job):
            raise PermissionDenied
        # A link that another person has just revoked must not be created again by revoking it.
        is_about_a_link = active_link(job) is not None or "do" in request.POST
        form = LinkForm(request.POST or None) if is_about_a_link else None
        if request.method == "POST" and (form is None or form.is_valid()):
            _change_link(request, job, form)
            return HttpResponseRedirect(reverse("admin:dispatch_job_change", args=[pk]))
        context = {
            **self.admin_site.each_context(request),
            "title": f"Tracking link for {job.label}",
            "opts": Job._meta,
            "job": job,
            "form": form,
        }
        return TemplateResponse(request, "tracking/admin_change_link.html", context)


def _change_link(request: HttpRequest, job: Job, form: LinkForm | None) -> None:
    """Create the missing link, or do what the form says; report it as a message."""
    if form is None:
        ensure_link(job=job, actor=request.user.get_username())
        messages.success(request, f"{job.label} now has a tracking link.")
    else:
        values = form.cleaned_data
        carry_out(Do(values["do"]), jobs=[job], request=request, reason=values["reason"])
