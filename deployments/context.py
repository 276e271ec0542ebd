"""The context of a deployment in progress: back end, output, lock."""

from collections.abc import Callable
from dataclasses import dataclass

from edge.protocols import Backend


@dataclass(frozen=True, slots=True)
class DeployContext:
    """A deployment underway: the back end, whom to tell, and the lock it is done under.

    `keep_lock` extends the lease; it raises ChangedMeanwhile when the lock was taken over.
    """

    backend: Backend
    say: Callable[[str], None]
    keep_lock: Callable[[], None]
