"""Who asks for a change, and what a deployment in progress works with."""

from collections.abc import Callable
from dataclasses import dataclass

from deployments.locks.deploy_lock import NO_PATIENCE, Patience
from deployments.models import Environment
from edge.protocols import Backend


def _ignore(line: str) -> None:
    """Show nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who asks for a change, and how they follow it.

    `say` is called with a line for each step. `confirm` is called with a question before a
    protected environment changes and raises Refused if the answer is no; None means yes. `reached`
    is called with the state so far, for the message of a later failure. `patience` is for a lock
    that another run holds.
    """

    actor: str
    say: Callable[[str], None] = _ignore
    confirm: Callable[[str], None] | None = None
    reached: Callable[[str], None] = _ignore
    patience: Patience = NO_PATIENCE

    def ask(self, environment: Environment, question: str) -> None:
        """Ask before a protected environment is changed. Raises Refused."""
        if self.confirm and environment.protected:
            self.confirm(question)


@dataclass(frozen=True, slots=True)
class DeployContext:
    """A deployment in progress: its back end, where to show its steps, and its lock.

    `keep_lock` extends the lease; it raises ChangedMeanwhile when the lock was taken over.
    """

    backend: Backend
    say: Callable[[str], None]
    keep_lock: Callable[[], None]
