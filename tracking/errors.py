"""Errors of tracking. Each has a stable code and a hint that says what to do next.

Messages never contain a token, because errors end up in logs and reports.
"""


class TrackingError(Exception):
    """Base of tracking's errors: `message` says what is wrong, `hint` what to do next."""

    code = "tracking"

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


class LinkNotActive(TrackingError):
    """The link is already revoked."""

    code = "link-not-active"


class ReasonMissing(TrackingError):
    """Revoking a customer's link needs a reason."""

    code = "reason-missing"


class PublishingFailed(TrackingError):
    """Some documents could not be published; they are retried later."""

    code = "publishing-failed"
