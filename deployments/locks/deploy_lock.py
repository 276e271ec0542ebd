"""The deploy lock: two operators cannot switch one environment at once.

A lease (deployments/locks/lease.py) that says who holds it, since when and why.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.db.models import QuerySet
from django.utils import timezone

from deployments.errors import ChangedMeanwhile
from deployments.locks import lease
from deployments.models import DeployLock, Environment
from edge.database_clock import database_now

PAUSE_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Patience:
    """What to do about a lock that another run holds: wait some seconds, or take it over.

    The run that loses its lock finds out before its next change: see `renew`.
    """

    wait_seconds: float = 0
    take_over: bool = False


NO_PATIENCE = Patience()


@contextmanager
def deploy_lock(
    *,
    environment: Environment,
    actor: str,
    reason: str,
    patience: Patience = NO_PATIENCE,
    say: Callable[[str], None] = lambda line: None,
) -> Iterator[DeployLock]:
    """Hold the environment's lock. Raises ChangedMeanwhile (`lock-held`).

    The environment is read again: while this run waited, another may have changed it.
    """
    if patience.take_over and (taken := _locks(environment).first()):
        say(f"Take over the lock: {describe(taken)}")
        lease.release(taken)
    lock = _acquire(environment, actor, reason, patience.wait_seconds, say)
    try:
        environment.refresh_from_db()
        yield lock
    finally:
        lease.release(lock)


def renew(lock: DeployLock) -> None:
    """Extend the lease of a lock. Raises ChangedMeanwhile if it was taken over."""
    if not lease.renew(lock):
        raise ChangedMeanwhile(
            "lock-lost",
            f"The lock of {lock.environment} expired or was ended, and another run took it over.",
            "Check with: manage.py status. Then run the command again if it is still needed.",
        )


def describe(lock: DeployLock) -> str:
    """Return who holds a lock, since when and why, as text."""
    since = timezone.localtime(lock.acquired_at)
    age = int((database_now() - lock.acquired_at).total_seconds())
    return (
        f"{lock.environment} is locked by {lock.holder} (since {since:%H:%M:%S}, {age} s ago): "
        f"{lock.reason}"
    )


def _acquire(
    environment: Environment, actor: str, reason: str, seconds: float, say: Callable[[str], None]
) -> DeployLock:
    """Try until the lock is ours or time is up. Raises ChangedMeanwhile."""
    deadline = time.monotonic() + seconds
    is_waiting = False
    while True:
        try:
            return lease.acquire(
                _locks(environment),
                refusal=lambda held: _refusal(environment, held),
                environment=environment,
                holder=actor[:150],
                reason=reason[:300],
                acquired_at=database_now(),
            )
        except ChangedMeanwhile as held:
            if time.monotonic() >= deadline:
                raise
            if not is_waiting:
                say(f"Wait up to {seconds:g} s: {held.message}")
                is_waiting = True
        time.sleep(min(PAUSE_SECONDS, max(0, deadline - time.monotonic())))


def _locks(environment: Environment) -> QuerySet[DeployLock]:
    return DeployLock.objects.filter(environment=environment)


def _refusal(environment: Environment, held: DeployLock | None) -> ChangedMeanwhile:
    if held is None:
        return ChangedMeanwhile(
            "lock-held", f"Another run is switching {environment}.", "Run the command again."
        )
    return ChangedMeanwhile(
        "lock-held",
        f"{describe(held)}.",
        "Wait for it with --lock-wait 60; the lock expires by itself at "
        f"{timezone.localtime(held.expires_at):%H:%M}. If that run has ended, take the lock over "
        "with --take-over --yes.",
    )
