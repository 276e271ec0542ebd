"""Stacks, change sets and distributions as plain data, and the protocol of their host.

The terms are CloudFormation's. edge/backends/aws/stacks.py implements the protocol.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class StackState:
    """A stack as CloudFormation describes it. `status` is its word, such as CREATE_COMPLETE."""

    name: str
    id: str
    status: str
    reason: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)
    outputs: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        """Whether it has no resources: only a change set, or a creation that was rolled back."""
        return self.status in {"REVIEW_IN_PROGRESS", "ROLLBACK_COMPLETE"}

    @property
    def is_busy(self) -> bool:
        """Whether an operation is in progress."""
        return self.status.endswith("_IN_PROGRESS") and not self.is_empty

    @property
    def succeeded(self) -> bool:
        """Whether the last operation succeeded."""
        return self.status in {"CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE"}

    @property
    def is_restored(self) -> bool:
        """Whether the last operation failed and was rolled back."""
        return self.status.endswith("ROLLBACK_COMPLETE")


@dataclass(frozen=True, slots=True)
class Change:
    """One line of a change set. `action`: Add, Modify or Remove.

    `replacement`: True, False, Conditional, or empty if the action is not Modify.
    """

    action: str
    resource: str
    type: str
    replacement: str = ""


@dataclass(frozen=True, slots=True)
class ChangeSet:
    """A change set that has not been executed. `failure` says why it cannot be."""

    id: str
    stack_id: str
    changes: tuple[Change, ...]
    failure: str = ""


@dataclass(frozen=True, slots=True)
class FoundDistribution:
    """A distribution as it is. `origins`: (path pattern, domain it leads to), in order."""

    id: str
    domain: str
    aliases: tuple[str, ...]
    origins: tuple[tuple[str, str], ...]


class StackHost(Protocol):
    """Stacks and distributions of one account. Raises BackendUnavailable, LimitExceeded."""

    def state(self, name: str) -> StackState | None:
        """Return a stack by name or id, or None."""

    def template(self, name: str) -> dict[str, Any]:
        """Return a stack's present template."""

    def propose(
        self,
        name: str,
        template: Mapping[str, Any],
        parameters: Mapping[str, str | None],
        *,
        create: bool,
        description: str,
        tags: Mapping[str, str],
    ) -> ChangeSet:
        """Make a change set and wait until it can be read. None keeps a parameter."""

    def withdraw(self, change_set: ChangeSet) -> None:
        """Delete a change set, and the stack if it was only made for it."""

    def clear(self, stack_id: str) -> None:
        """Delete a stack if it has no resources."""

    def execute(self, change_set: ChangeSet) -> None:
        """Begin to execute a change set. Raises StaleEtag if it no longer fits the stack."""

    def wait(
        self, stack_id: str, *, since: frozenset[str] = frozenset(), say: Say | None = None
    ) -> StackState:
        """Wait until a stack's operation has ended, and return the stack.

        `say` gets a line for each finished resource; `since` are the ids of earlier events.
        """

    def event_ids(self, stack_id: str) -> frozenset[str]:
        """Return the ids of a stack's events so far."""

    def failures(self, stack_id: str, *, since: frozenset[str]) -> list[str]:
        """Return what failed, the cause first; `since` are the ids of earlier events."""

    def distribution(self, distribution: str) -> FoundDistribution | None:
        """Return a distribution, or None."""
