"""The messages on a job's page."""

from django.contrib import admin

from dispatch.admin.people import ReadOnlyInline
from dispatch.models import Job
from notifications.models import Message


class MessageInline(ReadOnlyInline):
    """The messages of a job, newest first."""

    model = Message
    fields = ["created_at", "event", "channel", "recipient", "state", "error"]
    readonly_fields = fields
    ordering = ["-pk"]
    show_change_link = True


def show_messages_on_jobs() -> None:
    """Add the messages to the job's page, which another app registered."""
    page = admin.site.get_model_admin(Job)
    page.inlines = [*page.inlines, MessageInline]  # type: ignore[misc]  # of this page only
