"""The errors of the edge. Each has a stable code, a message and a hint."""


class EdgeError(Exception):
    """The base of the edge's errors.

    `message` says what was expected and what was found; `hint` is the next step. `is_outage` is
    true where nothing was refused, so that the same request may succeed later.
    """

    code = "edge"
    is_outage = False

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


class ObjectMissing(EdgeError):
    """The object store has no object with that key."""

    code = "object-missing"


class ContentChanged(EdgeError):
    """The bytes to store do not have the digest they were announced with; nothing was stored."""

    code = "content-changed"


class StaleEtag(EdgeError):
    """Someone else wrote first: read again, decide again, then write."""

    code = "stale-etag"


class LimitExceeded(EdgeError):
    """A value exceeds a limit of the back end; nothing was sent."""

    code = "limit-exceeded"


class FunctionFailed(EdgeError):
    """The edge function threw, or ran out of time or memory; viewers get status 503."""

    code = "function-failed"


class FunctionInvalid(FunctionFailed):
    """The edge function returned a result that CloudFront rejects; viewers get status 502."""

    code = "function-invalid"


class BackendUnavailable(EdgeError):
    """The back end did not answer, or its answer made no sense."""

    code = "backend-unavailable"
    is_outage = True


class BackendRefused(BackendUnavailable):
    """The back end refused: wrong credentials, a missing permission, an unknown name.

    Retrying does not help until that is fixed.
    """

    code = "backend-refused"
    is_outage = False


class InvalidationsInProgress(BackendUnavailable):
    """A distribution is at its limit of paths in progress; it accepts more once they are done."""

    code = "invalidations-in-progress"


class KeyRefused(EdgeError):
    """No object can have that key."""

    code = "key-refused"
