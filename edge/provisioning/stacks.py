"""What is told of stacks, change sets and distributions: plain data, without boto3.

The words are CloudFormation's. edge/backends/aws/stacks.py reads and writes them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class StackState:
    """A stack as CloudFormation tells it. `status` is its word, for example CREATE_COMPLETE."""

    name: str
    id: str
    status: str
    reason: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)
    outputs: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        """Whether it has no resources: only a change set, or a creation that was undone."""
        return self.status in {"REVIEW_IN_PROGRESS", "ROLLBACK_COMPLETE"}

    @property
    def is_busy(self) -> bool:
        """Whether an operation is under way."""
        return self.status.endswith("_IN_PROGRESS") and not self.is_empty

    @property
    def succeeded(self) -> bool:
        """Whether the last operation did what it should."""
        return self.status in {"CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE"}

    @property
    def is_restored(self) -> bool:
        """Whether the last operation failed and was undone."""
        return self.status.endswith("ROLLBACK_COMPLETE")


@dataclass(frozen=True, slots=True)
class Change:
    """One line of a change set. `action`: Add, Modify or Remove.

    `replacement`: True, False, Conditional, or empty where nothing is there to be replaced.
    """

    action: str
    resource: str
    type: str
    replacement: str = ""


@dataclass(frozen=True, slots=True)
class ChangeSet:
    """A change set that waits. `failure` says why it cannot be executed."""

    id: str
    stack_id: str
    changes: tuple[Change, ...]
    failure: str = ""


@dataclass(frozen=True, slots=True)
class FoundDistribution:
    """A distribution as it stands. `origins`: (path pattern, domain it leads to), in order."""

    id: str
    domain: str
    aliases: tuple[str, ...]
    origins: tuple[tuple[str, str], ...]


class StackHost(Protocol):
    """Stacks and distributions of one account. Raises BackendUnavailable, LimitExceeded."""

    def state(self, name: str) -> StackState | None:
        """Read a stack by name or id; None where there is none."""

    def template(self, name: str) -> dict[str, Any]:
        """Read a stack's present template."""

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
        """Make a change set and wait until it can be looked at. None keeps a parameter."""

    def withdraw(self, change_set: ChangeSet) -> None:
        """Delete a change set, and the stack if it was made for it only."""

    def clear(self, stack_id: str) -> None:
        """Delete a stack that has no resources; leave any other."""

    def execute(self, change_set: ChangeSet) -> None:
        """Begin to carry a change set out. Raises StaleEtag when it no longer fits the stack."""

    def wait(
        self, stack_id: str, *, since: frozenset[str] = frozenset(), say: Say | None = None
    ) -> StackState:
        """Wait until a stack's operation has ended.

        `say` gets a line for each resource done; `since` names the events from before.
        """

    def event_ids(self, stack_id: str) -> frozenset[str]:
        """Name all that has happened to a stack so far."""

    def failures(self, stack_id: str, *, since: frozenset[str]) -> list[str]:
        """Tell what failed, the cause first; `since` names the events from before."""

    def distribution(self, distribution: str) -> FoundDistribution | None:
        """Read a distribution; None where there is none."""
