"""The firm's own texts, with a preview from a real job and the size of text messages."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from dispatch.admin.field_history import FieldHistoryAdmin
from dispatch.changing import job_by_number
from dispatch.errors import JobUnknown
from dispatch.models import Job
from notifications.kinds import Channel, Event
from notifications.models import MessageTemplate
from notifications.names import LINK, NAMES, fill
from notifications.rendering import render
from notifications.segments import size_of
from notifications.texts import Text, default_text

# As long as a real one.
EXAMPLE_TOKEN = "x" * 22
NO_SUBJECT = "A text message has no subject. Remove it."
SUBJECT_MISSING = "An email needs a subject."


class TemplateForm(forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable when run
    """A text: emails have a subject, text messages do not."""

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        is_sms, subject = cleaned.get("channel") == Channel.SMS, cleaned.get("subject")
        if is_sms and subject:
            self.add_error("subject", NO_SUBJECT)
        if cleaned.get("channel") == Channel.EMAIL and not subject and "subject" in cleaned:
            self.add_error("subject", SUBJECT_MISSING)
        return cleaned


@admin.register(MessageTemplate)
class MessageTemplateAdmin(FieldHistoryAdmin):
    """Texts that take the place of the ones that ship. Deleting one brings those back."""

    form = TemplateForm
    list_display = ["event", "channel", "language", "updated_at", "preview_link"]
    list_filter = ["event", "channel", "language"]
    not_exported = ("preview_link",)
    fields = ["event", "channel", "language", "subject", "body", "names"]
    readonly_fields = ["names"]
    list_before_template = "notifications/default_texts.html"
    warn_unsaved_form = True

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Begin with the text that ships, if the address names one."""
        initial: dict[str, Any] = super().get_changeform_initial_data(request)
        try:
            event, channel = Event(initial["event"]), Channel(initial["channel"])
            text = default_text(event, channel, initial["language"])
        except (KeyError, ValueError):
            return initial
        return {**initial, "subject": text.subject, "body": text.body}

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        defaults = [(event, Channel, Job.Language) for event in Event]
        context = {**(extra_context or {}), "defaults": defaults}
        response: HttpResponse = super().changelist_view(request, context)
        return response

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.preview_view)
        urls: list[URLPattern] = super().get_urls()
        name = "notifications_messagetemplate_preview"
        return [path("<int:pk>/preview/", view, name=name), *urls]

    @admin.display(description="Names")
    def names(self, template: MessageTemplate) -> str:
        """Return the names that a text may use."""
        lines = [(f"{{{name}}}", meaning) for name, meaning in NAMES.items()]
        return format_html_join(SafeString("<br>"), "{}: {}", lines)

    @admin.display(description="Preview")
    def preview_link(self, template: MessageTemplate) -> str:
        page = reverse("admin:notifications_messagetemplate_preview", args=[template.pk])
        return format_html('<a class="text-primary-600" href="{}">Preview</a>', page)

    def preview_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Show a text as a job's customer would get it: `?job=`, or the newest one."""
        template = get_object_or_404(MessageTemplate, pk=pk)
        if not self.has_view_permission(request, template):
            raise PermissionDenied
        if not request.user.has_perm("dispatch.view_job"):
            raise PermissionDenied
        asked = request.GET.get("job", "")
        job, problem = _job(asked)
        context = {
            **self.admin_site.each_context(request),
            "title": f"Preview: {template}",
            "opts": MessageTemplate._meta,
            "template": template,
            "asked": asked or (job.label if job else ""),
            "problem": problem,
            **(_preview(template, job) if job else {}),
        }
        return TemplateResponse(request, "notifications/preview.html", context)


def _job(asked: str) -> tuple[Job | None, str]:
    """Return the job to preview with, or why there is none."""
    if not asked.strip():
        newest = Job.objects.with_related().first()
        return newest, "" if newest else "There is no job yet."
    try:
        return job_by_number(asked), ""
    except JobUnknown as unknown:
        return None, str(unknown)


def _preview(template: MessageTemplate, job: Job) -> dict[str, Any]:
    channel = Channel(template.channel)
    text = Text(template.subject, template.body)
    made = render(text, job=job, channel=channel, language=template.language)
    body = fill(made.body, {LINK: f"{settings.SITE_URL}/track/{EXAMPLE_TOKEN}"})
    size = size_of(body) if channel == Channel.SMS else None
    return {"subject": made.subject, "body": body, "size": size}
