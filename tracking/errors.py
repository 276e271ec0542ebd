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


class LinkNotSent(TrackingError):
    """The link cannot be sent: there is no address, or only its hash is known."""

    code = "link-not-sent"


class ReasonMissing(TrackingError):
    """Revoking a customer's link needs a reason."""

    code = "reason-missing"


class MostlyOrphaned(TrackingError):
    """Most documents have no link; the daily task does not remove that many unasked."""

    code = "mostly-orphaned"


class PublishingFailed(TrackingError):
    """Some documents could not be published; they are retried later."""

    code = "publishing-failed"


class RegistryUnreadable(TrackingError):
    """The file of a former system cannot be opened, or its report cannot be written."""

    code = "registry-unreadable"


class MapRefused(TrackingError):
    """The table of statuses and services for an import has a fault."""

    code = "map-refused"
