"""Leases: what only one process may do at a time, as a database row beside what it guards.

A lease that has expired, or whose process on this machine has ended, is stale: the next process
that wants it takes it over, so a killed command blocks no one. Leases go by the database's clock:
a machine whose own clock is ahead must not take a live lease for an expired one.
"""

import os
import socket
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from deployments.models import Lease
from edge.database_clock import database_now

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
        who = this_process()
        expires_at = database_now() + rivals.model.LASTS
        with suppress(IntegrityError), transaction.atomic():  # another process may be faster
            return rivals.create(**who, expires_at=expires_at, **fields)
    raise refusal(None)


def find_held(rivals: QuerySet[Leased]) -> Leased | None:
    """Return the lease that is held, if any. A stale one is deleted."""
    lease = rivals.first()
    if lease is None or not is_stale(lease):
        return lease
    # Only as it was read: its holder may have renewed it since.
    rivals.filter(pk=lease.pk, expires_at=lease.expires_at).delete()
    return None


def renew(lease: Lease) -> bool:
    """Extend a lease. Return False if it was taken over."""
    rows = type(lease)._default_manager.filter(pk=lease.pk)
    return bool(rows.update(expires_at=Now() + lease.LASTS))


def release(lease: Lease) -> None:
    """Delete a lease, and not the one that may have replaced it."""
    type(lease)._default_manager.filter(pk=lease.pk).delete()


def is_stale(lease: Lease) -> bool:
    """Whether no process holds a lease any longer."""
    if lease.expires_at <= database_now():
        return True
    return lease.host == socket.gethostname() and not is_running(lease.pid, lease.started)


def this_process() -> dict[str, Any]:
    """Return what identifies this process, as the fields of a lease."""
    pid = os.getpid()
    return {"host": socket.gethostname(), "pid": pid, "started": int((_stat(pid) or [0])[-1])}


def is_running(pid: int, started: int = 0) -> bool:
    """Whether a process exists; a zombie has been killed and holds nothing.

    If `started` is known, another process that got the same id later does not count.
    """
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    stat = _stat(pid)
    if stat is None:
        return True  # not Linux; or it has just ended, and the next check will show it
    state, now_started = stat
    return state != "Z" and started in {0, int(now_started)}


def _stat(pid: int) -> tuple[str, str] | None:
    """Return the state of a process and when it started, from proc(5), where there is one."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except ProcessLookupError:
        return "Z", "0"  # it ended in between
    except OSError:
        return None
    return fields[0], fields[19]
