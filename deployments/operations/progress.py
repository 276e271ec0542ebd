"""Progress: how far an operation is, in words. Reads only."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone

from deployments.locks.lease import is_stale
from deployments.models import DeployLock, Deployment, Operation
from deployments.wording import plural

State = Operation.State
# A cluster polls for tasks every second, so a longer wait is unusual.
SOON = timedelta(seconds=10)
# A click must not take effect hours later, when the cluster is started again.
GOOD_FOR = timedelta(minutes=15)
# A cluster ends a task slightly after its time limit.
MARGIN_SECONDS = 10


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
    age = timezone.now() - operation.asked_at
    if age > GOOD_FOR:
        minutes = int(GOOD_FOR.total_seconds() / 60)
        note = (
            f"No task cluster picked this up within {plural(minutes, 'minute')}, so it will not "
            "run. Start a cluster with manage.py qcluster, then try again."
        )
        return Progress(operation, "Lapsed", "danger", note, is_given_up=True)
    if age > SOON:
        note = (
            f"No task cluster has picked this up for more than {_round(age)}. Is one running? "
            "Start it with: manage.py qcluster"
        )
        return Progress(operation, "Waiting", "warning", note)
    return Progress(operation, "Waiting", "info", "A task cluster picks this up in a moment.")


def _round(age: timedelta) -> str:
    """Return an age in coarse steps: a screen reader repeats the note whenever it changes."""
    minutes = int(age.total_seconds() / 60)
    if not minutes:
        return f"{int(SOON.total_seconds())} seconds"
    return plural(minutes, "minute")


def _running(operation: Operation) -> Progress:
    if not _is_gone(operation):
        return Progress(operation, "Running", "info")
    is_atomic = operation.environment.runs_function
    served = "One whole release is served" if is_atomic else "Files of both releases may be served"
    note = (
        f"Interrupted: its task has died. {served} until you repeat the action, which settles what "
        "was begun and finishes it."
    )
    return Progress(operation, "Interrupted", "danger", note, is_given_up=True)


def _is_gone(operation: Operation) -> bool:
    """Whether the task is dead: the process of its lock is gone, or its time limit has passed."""
    lock = DeployLock.objects.filter(
        environment=operation.environment_id,
        holder=operation.actor,
        acquired_at__gte=operation.asked_at,
    ).first()
    if lock and is_stale(lock):
        return True
    longest = timedelta(seconds=settings.OPERATION_SECONDS + MARGIN_SECONDS)
    return timezone.now() - _last_sign(operation) > longest


def _last_sign(operation: Operation) -> datetime:
    last = operation.steps.last()
    return last.at if last else operation.asked_at
