"""Leases: what only one process may do at a time, as a database row beside what it guards.

A lease that has expired, or whose process on this machine has ended, is stale: the next process
that wants it takes it over, so a killed command blocks no one.
"""

import os
import socket
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from deployments.models import Lease

Leased = TypeVar("Leased", bound=Lease)


def acquire(
    rivals: QuerySet[Leased], *, refusal: Callable[[Leased | None], Exception], **fields: Any
) -> Leased:
    """Create a lease, unless one of `rivals` is held, of which the database allows a single row.

    Raises what `refusal` makes of the row held, or of None if it was released just now.
    """
    for _ in range(2):
        if held := find_held(rivals):
            raise refusal(held)
        who = {"host": socket.gethostname(), "pid": os.getpid()}
        expires_at = timezone.now() + rivals.model.LASTS
        with suppress(IntegrityError), transaction.atomic():  # another process may be faster
            return rivals.create(**who, expires_at=expires_at, **fields)
    raise refusal(None)


def find_held(rivals: QuerySet[Leased]) -> Leased | None:
    """Return the lease that is held, if any. A stale one is deleted."""
    lease = rivals.first()
    if lease is None or not is_stale(lease):
        return lease
    release(lease)
    return None


def renew(lease: Lease) -> bool:
    """Extend a lease. Return False if it was taken over."""
    rows = type(lease)._default_manager.filter(pk=lease.pk)
    return bool(rows.update(expires_at=timezone.now() + lease.LASTS))


def release(lease: Lease) -> None:
    """Delete a lease, and not the one that may have replaced it."""
    type(lease)._default_manager.filter(pk=lease.pk).delete()


def is_stale(lease: Lease) -> bool:
    """Whether no process holds a lease any longer."""
    if lease.expires_at <= timezone.now():
        return True
    return lease.host == socket.gethostname() and not _is_running(lease.pid)


def _is_running(pid: int) -> bool:
    """Whether a process exists; a zombie has been killed and holds nothing."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except ProcessLookupError:
        return False  # it ended in between
    except OSError:
        return True  # not Linux; or it has just ended, and the next check will show it
    return stat.rpartition(")")[2].split()[0] != "Z"
