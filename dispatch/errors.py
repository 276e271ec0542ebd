"""What can be refused about a job. Each error has a stable code and a hint that says what to do."""


class DispatchError(Exception):
    """Base of dispatch's errors: `message` says what was expected, `hint` what to do next."""

    code = "dispatch"

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


class JobUnknown(DispatchError):
    """No job has that number."""

    code = "job-unknown"


class StatusUnknown(DispatchError):
    """No such status."""

    code = "status-unknown"


class MoveNotAllowed(DispatchError):
    """The flow has no such step from where the job is."""

    code = "move-not-allowed"


class ValueRefused(DispatchError):
    """A value is missing or cannot be used. `field` names it where it has a name of its own."""

    code = "value-refused"

    def __init__(self, message: str, hint: str = "", *, field: str = "") -> None:
        super().__init__(message, hint)
        self.field = field


class JobChangedMeanwhile(DispatchError):
    """Somebody else changed the job between our look and our write."""

    code = "job-changed"
