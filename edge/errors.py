"""What can go wrong at the edge. Errors carry a stable code and a hint: the next step."""


class EdgeError(Exception):
    """Base of the edge's errors.

    `message` says what was expected and what was found; `hint` says what to do next.
    `is_outage`: nobody said no, so the same again may go through later.
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
    """The object store has nothing under that key."""

    code = "object-missing"


class ContentChanged(EdgeError):
    """What was to be stored is no longer what its digest names; it was not stored."""

    code = "content-changed"


class StaleEtag(EdgeError):
    """Somebody else wrote meanwhile: read again, decide again, then write."""

    code = "stale-etag"


class LimitExceeded(EdgeError):
    """A value is beyond what CloudFront takes; nothing was sent."""

    code = "limit-exceeded"


class FunctionFailed(EdgeError):
    """The edge function threw, ran out of time or memory, or returned what CloudFront refuses."""

    code = "function-failed"


class BackendUnavailable(EdgeError):
    """The back end did not answer, or not as it should."""

    code = "backend-unavailable"
    is_outage = True


class BackendRefused(BackendUnavailable):
    """The back end said no: credentials, a permission, a name that it does not know.

    The same again is refused again, until somebody mends that.
    """

    code = "backend-refused"
    is_outage = False


class InvalidationsInProgress(BackendUnavailable):
    """A distribution drops as many paths as it can at a time; it takes more when it is done."""

    code = "invalidations-in-progress"


class FunctionInvalid(FunctionFailed):
    """The edge function ended, but with something CloudFront refuses: a viewer gets 502."""

    code = "function-invalid"


class KeyRefused(EdgeError):
    """No object can have that key."""

    code = "key-refused"
