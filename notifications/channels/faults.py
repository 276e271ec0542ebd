"""The ways in which handing over a message can fail."""

from notifications.errors import NotificationError


class MessageDelayed(NotificationError):
    """Nothing was sent, and a later attempt may succeed."""

    code = "message-delayed"


class MessageRefused(NotificationError):
    """Nothing was sent, and the same message would be refused again."""

    code = "message-refused"


class MessageUncertain(NotificationError):
    """The server may have the message: its answer did not arrive."""

    code = "message-uncertain"
