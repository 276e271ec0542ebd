"""Who asks for a change, and what a deployment in progress works with."""

from collections.abc import Callable
from dataclasses import dataclass

from deployments.locks.deploy_lock import NO_PATIENCE, Patience
from edge.protocols import Backend


def _ignore(line: str) -> None:
    """Show nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who asks for a change, and how they hear about it.

    `say` gets a line for each step. `confirm` gets a question before a protected environment is
    changed and raises Refused for a no; None is a yes given beforehand. `reached` gets what holds
    by now, for the message of a later failure. `patience` is for a lock that another run holds.
    """

    actor: str
    say: Callable[[str], None] = _ignore
    confirm: Callable[[str], None] | None = None
    reached: Callable[[str], None] = _ignore
    patience: Patience = NO_PATIENCE


@dataclass(frozen=True, slots=True)
class DeployContext:
    """A deployment in progress: the back end, where its steps are shown, and its lock.

    `keep_lock` extends the lease; it raises ChangedMeanwhile when the lock was taken over.
    """

    backend: Backend
    say: Callable[[str], None]
    keep_lock: Callable[[], None]
