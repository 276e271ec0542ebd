"""What can go wrong with tracking. Each error has a stable code and a hint that says what to do.

No message carries a token: errors end up in logs and reports.
"""


class TrackingError(Exception):
    """Base of tracking's errors: `message` says what was expected, `hint` what to do next."""

    code = "tracking"

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


class LinkNotActive(TrackingError):
    """The link was revoked already."""

    code = "link-not-active"


class ReasonMissing(TrackingError):
    """Links that customers hold are not taken away without a word why."""

    code = "reason-missing"


class PublishingFailed(TrackingError):
    """The store did not take every document; what failed is tried again later."""

    code = "publishing-failed"
