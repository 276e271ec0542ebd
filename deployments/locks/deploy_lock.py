"""The deploy lock: two operators cannot switch one environment at once.

A row in the database beside what it guards, with who, since when and why. A lock whose process is
gone (same machine) or whose lease has run out is taken over, so a killed command blocks nobody.
"""

import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from django.db import IntegrityError, transaction
from django.utils import timezone

from deployments.errors import ChangedMeanwhile
from deployments.models import AssetSweep, DeployLock, Environment

# A switch takes seconds; uploads happen before the lock is taken.
LEASE = timedelta(minutes=10)
PAUSE_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Patience:
    """What to do about a lock that somebody else holds: wait some seconds, or take it over.

    Whoever is taken over from finds out before the next change: see `renew`.
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
    """Hold the environment's lock. Raises ChangedMeanwhile (`lock-held`)."""
    held = _wait_for(environment, actor, reason, patience, say)
    try:
        yield held
    finally:
        DeployLock.objects.filter(pk=held.pk).delete()


def _wait_for(
    environment: Environment,
    actor: str,
    reason: str,
    patience: Patience,
    say: Callable[[str], None],
) -> DeployLock:
    """Try until the lock is ours or patience is over. Raises ChangedMeanwhile."""
    if patience.take_over:
        _take_over(environment, say)
    deadline = time.monotonic() + patience.wait_seconds
    told = False
    while True:
        try:
            return _acquire(environment, actor, reason)
        except ChangedMeanwhile as held:
            if time.monotonic() >= deadline:
                raise
            if not told:
                say(f"Wait up to {patience.wait_seconds:g} s: {held.message}")
                told = True
        time.sleep(min(PAUSE_SECONDS, max(0, deadline - time.monotonic())))


def _take_over(environment: Environment, say: Callable[[str], None]) -> None:
    """End somebody else's lock; by its key, so that a newer one stays."""
    holder = DeployLock.objects.filter(environment=environment).first()
    if holder:
        say(f"Take the lock over: {describe(holder)}")
        DeployLock.objects.filter(pk=holder.pk).delete()


def renew(lock: DeployLock) -> None:
    """Extend the lease of a lock that is held. Raises ChangedMeanwhile when it was taken over."""
    expires_at = timezone.now() + LEASE
    if not DeployLock.objects.filter(pk=lock.pk).update(expires_at=expires_at):
        raise ChangedMeanwhile(
            "lock-lost",
            f"The lock of {lock.environment} ran out and another run has taken it over.",
            "Look with: manage.py status, then run the command again if you still want it.",
        )


def _acquire(environment: Environment, actor: str, reason: str) -> DeployLock:
    for _ in range(2):
        _drop_stale(environment)
        now = timezone.now()
        try:
            with transaction.atomic():
                return DeployLock.objects.create(
                    environment=environment,
                    holder=actor[:150],
                    reason=reason[:300],
                    host=socket.gethostname(),
                    pid=os.getpid(),
                    acquired_at=now,
                    expires_at=now + LEASE,
                )
        except IntegrityError:
            holder = DeployLock.objects.filter(environment=environment).first()
            if holder and not is_stale(holder):
                raise _held(holder) from None
    raise ChangedMeanwhile(
        "lock-held", f"{environment} is being switched by others.", "Run the command again."
    )


def _drop_stale(environment: Environment) -> None:
    """Remove a lock nobody holds any more; by its key, so a newer one stays."""
    holder = DeployLock.objects.filter(environment=environment).first()
    if holder and is_stale(holder):
        DeployLock.objects.filter(pk=holder.pk).delete()


def is_stale(lock: DeployLock | AssetSweep) -> bool:
    """Tell whether nobody holds a lock any more: its lease is over, or its process gone."""
    if lock.expires_at <= timezone.now():
        return True
    return lock.host == socket.gethostname() and not _is_running(lock.pid)


def _is_running(pid: int) -> bool:
    """Tell whether a process exists; a zombie was killed and holds nothing."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except ProcessLookupError:
        return False  # gone while it was looked at
    except OSError:
        return True  # not Linux; or gone just now, which the next look will tell
    return stat.rpartition(")")[2].split()[0] != "Z"


def describe(lock: DeployLock) -> str:
    """Say who holds a lock, since when and why."""
    since = timezone.localtime(lock.acquired_at)
    age = int((timezone.now() - lock.acquired_at).total_seconds())
    return (
        f"{lock.environment} is locked by {lock.holder} since {since:%H:%M:%S} ({age} s): "
        f"{lock.reason}"
    )


def _held(lock: DeployLock) -> ChangedMeanwhile:
    ends = timezone.localtime(lock.expires_at)
    return ChangedMeanwhile(
        "lock-held",
        f"{describe(lock)}.",
        f"Wait for it with --lock-wait 60; the lock ends by itself at {ends:%H:%M}. Where nobody "
        "is at work any more, take it over with --take-over --yes.",
    )
