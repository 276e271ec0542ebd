"""Errors about jobs. Each has a stable code and a hint that says what to do next."""


class DispatchError(Exception):
    """Base of dispatch's errors: `message` says what is wrong, `hint` what to do next."""

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
    """No status has that code."""

    code = "status-unknown"


class MoveNotAllowed(DispatchError):
    """The flow does not allow this step from the job's status."""

    code = "move-not-allowed"


class ValueRefused(DispatchError):
    """A value is missing or invalid. `field` is the job's field, or "" if it has none."""

    code = "value-refused"

    def __init__(self, message: str, hint: str = "", *, field: str = "") -> None:
        super().__init__(message, hint)
        self.field = field


class JobChangedMeanwhile(DispatchError):
    """Another user changed the job after it was read."""

    code = "job-changed"


class RunChangedMeanwhile(DispatchError):
    """Another user changed the order of a crew's run after it was read."""

    code = "run-changed"


class NotUndone(DispatchError):
    """A change cannot be taken back: it is too old, not the latest, or has no way back."""

    code = "not-undone"


class CustomerUnknown(DispatchError):
    """No customer has that phone."""

    code = "customer-unknown"


class CustomerChangedMeanwhile(DispatchError):
    """A customer was merged, or got another job, after it was read."""

    code = "customer-changed"


class ActionRefused(DispatchError):
    """A job does not allow what its customer asks for.

    `instead` are the actions (dispatch.customer_actions.rules) that help and that it allows.
    """

    code = "action-refused"
    instead: tuple[str, ...] = ()


class ProbeExists(DispatchError):
    """There is a probe already: another check of the tracking pages makes use of it."""

    code = "check-in-progress"
