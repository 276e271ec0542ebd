"""The ledger of messages, the firm's own texts, and the numbers that do not want any."""

from datetime import datetime
from typing import Any

from django.db import models
from django.db.models import Case, Q, Value, When
from django.db.models.functions import Now
from phonenumber_field.modelfields import PhoneNumberField

from dispatch.field_history import FieldHistory
from dispatch.models import Job
from notifications.kinds import Channel, Event, State
from notifications.names import check_text, validate_text

# The order in which the office looks at messages; then the newest first.
_PLACES = [
    When(state=state, then=Value(place))
    for place, state in enumerate((State.FAILED, State.UNKNOWN, State.QUEUED, State.SENDING))
]
TROUBLED_FIRST = (
    Case(*_PLACES, default=Value(len(_PLACES)), output_field=models.IntegerField()).asc(),
    "-pk",
)


class MessageQuerySet(models.QuerySet["Message"]):
    """Sets of messages. Only the database's clock is asked: several machines send."""

    def due(self, *, lapsed_before: datetime) -> "MessageQuerySet":
        """Messages to send now, oldest first: no worker has them, or its claim has lapsed."""
        free = Q(claimed_at__isnull=True) | Q(claimed_at__lt=lapsed_before)
        queued = self.filter(free, state=State.QUEUED, not_before__lte=Now())
        return queued.order_by("not_before", "pk")

    def lapsed(self, *, lapsed_before: datetime) -> "MessageQuerySet":
        """Messages whose worker ended while the server had them."""
        return self.filter(state=State.SENDING, claimed_at__lt=lapsed_before)


class Message(models.Model):
    """A message to a customer: one per job, event, key, channel and recipient.

    `key` distinguishes events of one kind: it has the job's revision, or the window. `subject`
    and `body` are filled in when the message is first sent, with `{link}` in place of the tracking
    link, whose token is never stored here. `again_of` is set if staff had it sent again.
    Change messages only through recording.py, sending.py and resending.py.
    """

    job = models.ForeignKey(Job, models.PROTECT, related_name="messages")
    event = models.CharField(max_length=20, choices=Event.choices)
    key = models.CharField(max_length=60, blank=True)
    channel = models.CharField(max_length=10, choices=Channel.choices)
    recipient = models.CharField(max_length=254, blank=True)
    state = models.CharField(max_length=12, choices=State.choices, default=State.QUEUED)
    language = models.CharField(max_length=5, choices=Job.Language.choices)
    subject = models.CharField(max_length=200, blank=True)
    body = models.TextField(blank=True)
    error = models.CharField("remark", max_length=300, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    not_before = models.DateTimeField(db_default=Now())
    claimed_at = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)
    caused_by = models.CharField(max_length=150)
    again_of = models.ForeignKey("self", models.PROTECT, null=True, related_name="repeats")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = MessageQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        permissions = [("send_message_again", "Can send a message again")]
        constraints = [
            models.UniqueConstraint(
                fields=["job", "event", "key", "channel", "recipient"],
                name="one_message_per_event",
            ),
            models.CheckConstraint(
                name="message_state_is_known", condition=Q(state__in=State.values)
            ),
        ]
        indexes = [
            models.Index(
                fields=["not_before", "id"],
                condition=Q(state__in=[State.QUEUED, State.SENDING]),
                name="message_to_send",
            ),
            models.Index(fields=["state", "-id"], name="message_by_state"),
        ]

    def __str__(self) -> str:
        """Return text without recipient: it appears in logs."""
        return f"message {self.pk} ({self.event}, {self.channel})"


class MessageTemplate(models.Model):
    """The firm's own text for an event, in place of the one in notifications/texts."""

    event = models.CharField(max_length=20, choices=Event.choices)
    channel = models.CharField(max_length=10, choices=Channel.choices)
    language = models.CharField(max_length=5, choices=Job.Language.choices)
    subject = models.CharField(
        max_length=200, blank=True, validators=[validate_text], help_text="For emails only."
    )
    body = models.TextField("text", max_length=4000, validators=[validate_text])
    updated_at = models.DateTimeField(auto_now=True)

    history = FieldHistory(without=["updated_at"])

    class Meta:
        ordering = ["event", "channel", "language"]
        constraints = [
            models.UniqueConstraint(
                fields=["event", "channel", "language"], name="one_template_per_event"
            )
        ]

    def __str__(self) -> str:
        event, channel = self.get_event_display(), self.get_channel_display()
        return f"{event}, {channel.lower()}, {self.get_language_display()}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save it. Raises TemplateRefused for a name that is not allowed."""
        check_text(self.subject)
        check_text(self.body)
        super().save(*args, **kwargs)


class OptOut(models.Model):
    """A number that gets no text messages: it answered STOP, or asked the office."""

    phone = PhoneNumberField(unique=True)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-at"]
        verbose_name = "opt-out"

    def __str__(self) -> str:
        return str(self.phone)
