"""Errors of notifications. Each has a stable code and a hint that says what to do next.

Messages hold neither tokens nor texts of customers, because errors end up in logs and reports.
"""


class NotificationError(Exception):
    """Base of these errors: `message` says what is wrong, `hint` what to do next."""

    code = "notifications"

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


class TemplateRefused(NotificationError):
    """A template has a name that is not allowed, or a brace that belongs to none."""

    code = "template-refused"


class NotSentAgain(NotificationError):
    """The message cannot be sent again now."""

    code = "not-sent-again"
