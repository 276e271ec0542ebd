"""What a message is about, how it travels, and how far it is."""

from django.db.models import TextChoices


class Event(TextChoices):
    """What customers hear of. Staff read the labels."""

    RECEIVED = "received", "Request received"
    SCHEDULED = "scheduled", "Scheduled"
    RESCHEDULED = "rescheduled", "Rescheduled"
    REMINDER = "reminder", "Reminder"
    ON_THE_WAY = "on_the_way", "On the way"
    RUNNING_LATE = "running_late", "Running late"
    COMPLETED = "completed", "Completed"
    CANCELLED = "cancelled", "Cancelled"
    LINK_REPLACED = "link_replaced", "Link replaced"
    LINK_REQUESTED = "link_requested", "Link sent again"
    PRICE_CHANGED = "price_changed", "Price changed"
    CUSTOMER_WROTE = "customer_wrote", "Answer or note received"


class Channel(TextChoices):
    """How a message travels."""

    EMAIL = "email", "Email"
    SMS = "sms", "Text message"


class State(TextChoices):
    """How far a message is.

    `queued` may be claimed by a worker; nothing has been handed over. `sending` is written just
    before the last byte goes out, and `unknown` is what remains if the answer never came: the
    customer may have the message, so it is never sent again by itself.
    """

    QUEUED = "queued", "Queued"
    SENDING = "sending", "Sending"
    SENT = "sent", "Sent"
    FAILED = "failed", "Failed"
    UNKNOWN = "unknown", "Unknown"
    SUPPRESSED = "suppressed", "Not sent"
