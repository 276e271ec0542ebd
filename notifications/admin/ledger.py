"""The ledger of messages, read-only but for sending again; and the numbers without texts."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from unfold.admin import ModelAdmin
from unfold.decorators import display

from notifications.errors import NotSentAgain
from notifications.kinds import State
from notifications.models import TROUBLED_FIRST, Message, OptOut
from notifications.resending import send_again

COLOURS = {
    State.QUEUED: "info",
    State.SENDING: "primary",
    State.SENT: "success",
    State.FAILED: "danger",
    State.UNKNOWN: "warning",
    State.SUPPRESSED: "",
}


class ReadOnlyAdmin(ModelAdmin):  # type: ignore[misc]  # unfold ships no types
    """Rows that are shown and never edited."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Message)
class MessageAdmin(ReadOnlyAdmin):
    """What was sent to whom: failed messages first, then the unknown ones."""

    list_display = [
        "created_at",
        "job_link",
        "event",
        "channel",
        "recipient",
        "state_label",
        "error",
    ]
    list_display_links = ["created_at"]
    list_filter = ["state", "event", "channel", "created_at"]
    list_per_page = 50
    list_select_related = ["job"]
    search_fields = ["=job__number", "recipient"]
    search_help_text = "Job number or recipient"
    show_full_result_count = False
    actions = ["send_again"]
    fieldsets = [
        (None, {"fields": ["job_link", ("event", "channel"), ("recipient", "language")]}),
        ("Text", {"fields": ["subject", "body"]}),
        (
            "Sending",
            {
                "fields": [
                    ("state", "error"),
                    ("attempts", "not_before"),
                    ("created_at", "sent_at"),
                    ("caused_by", "again_of"),
                ]
            },
        ),
    ]
    readonly_fields = ["job_link"]

    def get_ordering(self, request: HttpRequest) -> Any:
        return TROUBLED_FIRST

    def has_send_again_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("notifications.send_message_again")

    @admin.display(description="Job", ordering="job__number")
    def job_link(self, message: Message) -> str:
        page = reverse("admin:dispatch_job_change", args=[message.job_id])
        link = '<a class="text-primary-600" href="{}">{}</a>'
        return format_html(link, page, message.job.label)

    @display(description="State", ordering="state", label=COLOURS)  # type: ignore[untyped-decorator]
    def state_label(self, message: Message) -> tuple[State, str]:
        state = State(message.state)
        return state, state.label

    @admin.action(description="Send again…", permissions=["send_again"])
    def send_again(self, request: HttpRequest, queryset: QuerySet[Message]) -> HttpResponse | None:
        """Ask, then send each selected message again and report every result."""
        selected = list(queryset.select_related("job__customer"))
        if "confirmed" not in request.POST:
            return self._confirmation_page(request, selected)
        sent = []
        for message in selected:
            try:
                send_again(message=message, actor=request.user.get_username())
            except NotSentAgain as refusal:
                messages.warning(request, str(refusal))
            else:
                sent.append(message.job.label)
        if sent:
            messages.success(request, f"Queued again: {', '.join(sent)}.")
        return None

    def _confirmation_page(self, request: HttpRequest, selected: list[Message]) -> TemplateResponse:
        plural = "" if len(selected) == 1 else "s"
        context = {
            **self.admin_site.each_context(request),
            "title": f"Send {len(selected)} message{plural} again",
            "opts": Message._meta,
            "selected": selected,
            "doubtful": any(message.state == State.UNKNOWN for message in selected),
            "action_checkbox_name": ACTION_CHECKBOX_NAME,
            "list_url": reverse("admin:notifications_message_changelist"),
        }
        return TemplateResponse(request, "notifications/send_again.html", context)


@admin.register(OptOut)
class OptOutAdmin(ModelAdmin):  # type: ignore[misc]  # unfold ships no types
    """Numbers that get no text messages."""

    list_display = ["phone", "at"]
    search_fields = ["phone"]
    fields = ["phone"]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
