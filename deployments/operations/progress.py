"""Progress: how far an operation is, in words. Reads only."""

from dataclasses import dataclass
from datetime import timedelta

from deployments.models import Deployment, Operation
from deployments.operations.alive import GOOD_FOR, MAX_ATTEMPTS, is_gone
from deployments.wording import plural
from edge.database_clock import database_now

State = Operation.State
# A cluster polls for tasks every second, so a longer wait is unusual.
SOON = timedelta(seconds=10)
# `work` replaces a cluster that makes no progress, and starts interrupted operations again.
BY_THEN = timedelta(minutes=1)
START = "If it is not running, start it: manage.py work"


@dataclass(frozen=True, slots=True)
class Progress:
    """An operation's state in words. `colour` is one of unfold's labels; `note` may be empty.

    `is_given_up`: the row says waiting or running, but no task will finish it.
    """

    operation: Operation
    label: str
    colour: str
    note: str = ""
    is_given_up: bool = False

    @property
    def kind(self) -> str:
        """The kind of deployment, as the history shows it."""
        return str(Deployment.Kind(self.operation.kind).label)

    @property
    def has_ended(self) -> bool:
        return self.is_given_up or self.operation.ended_at is not None


def of(operation: Operation) -> Progress:
    """Return the progress of an operation."""
    match operation.state:
        case State.WAITING:
            return _waiting(operation)
        case State.RUNNING:
            return _running(operation)
        case State.DONE:
            return Progress(operation, "Done", "success")
        case _:
            return Progress(operation, "Failed", "danger")


def _waiting(operation: Operation) -> Progress:
    age = database_now() - operation.asked_at
    if age > GOOD_FOR:
        note = (
            f"The task cluster did not begin this within {_minutes(GOOD_FOR)}, so it will not run. "
            "Start it with manage.py work, or see what is wrong with manage.py doctor. Then try "
            "again."
        )
        return Progress(operation, "Lapsed", "danger", note, is_given_up=True)
    if age > SOON:
        note = f"The task cluster has not begun this for more than {_round(age)}. {START}"
        return Progress(operation, "Waiting", "warning", note)
    return Progress(operation, "Waiting", "info", "The task cluster begins this in a moment.")


def _round(age: timedelta) -> str:
    """Return an age in coarse steps: a screen reader repeats the note whenever it changes."""
    if age < timedelta(minutes=1):
        return f"{int(SOON.total_seconds())} seconds"
    return _minutes(age)


def _minutes(age: timedelta) -> str:
    return plural(int(age.total_seconds() / 60), "minute")


def _running(operation: Operation) -> Progress:
    if not is_gone(operation):
        return Progress(operation, "Running", "info")
    is_atomic = operation.environment.runs_function
    served = "One whole release is served" if is_atomic else "Files of both releases may be served"
    begun, since = (
        max(operation.attempts, 1),
        database_now() - (operation.alive_at or operation.asked_at),
    )
    if begun < MAX_ATTEMPTS and operation.alive_at and since < GOOD_FOR:
        note = (
            f"Interrupted: its task was killed. {served} until the task cluster has begun it again "
            f"(attempt {begun + 1} of {MAX_ATTEMPTS})."
        )
        late = f" {START}" if since > BY_THEN else ""
        return Progress(operation, "Interrupted", "warning", note + late)
    note = (
        f"Interrupted {plural(begun, 'time')}: its task was killed, and it will not be begun "
        f"again. {served} until you repeat the action, which settles what was begun and finishes "
        "it."
    )
    return Progress(operation, "Interrupted", "danger", note, is_given_up=True)
