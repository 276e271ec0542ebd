"""Whether the task of an operation is alive, and which operations a task may begin.

The task renews `alive_at` from a thread, because a step may take minutes. A task that has not done
so for `LASTS` was killed, wherever it ran. Then another task begins the operation again, which is
safe: deploying settles what was interrupted.
"""

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from typing import Any

from django.db import Error, connection
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Now

from deployments.locks import lease
from deployments.models import DeployLock, Operation
from edge.database_clock import database_now

State = Operation.State
RENEW_SECONDS = 4
LASTS = timedelta(seconds=20)
# A click must not take effect hours later, when the cluster is started again.
GOOD_FOR = timedelta(minutes=15)
MAX_ATTEMPTS = 3


def is_gone(operation: Operation) -> bool:
    """Whether a running operation's task is dead."""
    return operation.alive_at is None or database_now() - operation.alive_at > LASTS


def may_begin(operation: Operation) -> bool:
    """Whether a task may begin an operation, or begin it again."""
    return Operation.objects.filter(beginnable(), pk=operation.pk).exists()


def claim(operation: Operation) -> bool:
    """Become the one task of an operation; return False if it may not be begun.

    Takes over the deploy lock of a dead task of the same operation.
    """
    dead = operation.runner
    runner = DeployLock(**lease.this_process()).runner
    mine = {"state": State.RUNNING, "runner": runner, "alive_at": Now()}
    rows = Operation.objects.filter(beginnable(), pk=operation.pk, attempts=operation.attempts)
    if not rows.update(**mine, attempts=F("attempts") + 1):
        return False
    operation.refresh_from_db()
    for lock in DeployLock.objects.filter(environment=operation.environment_id):
        if lock.runner == dead:
            lease.release(lock)
    return True


def beginnable() -> Q:
    """Return the condition under which a task may begin an operation, or begin it again."""
    waits = Q(state=State.WAITING, asked_at__gt=Now() - GOOD_FOR)
    was_killed = Q(state=State.RUNNING, alive_at__lt=Now() - LASTS, alive_at__gt=Now() - GOOD_FOR)
    return waits | (was_killed & Q(attempts__lt=MAX_ATTEMPTS))


def kept_alive(operation: Operation) -> AbstractContextManager[None]:
    """Renew the operation's `alive_at` until the block ends."""
    return renewed(Operation.objects.filter(pk=operation.pk, attempts=operation.attempts))


@contextmanager
def renewed(rows: QuerySet[Any]) -> Iterator[None]:
    """Renew `alive_at` of rows until the block ends."""
    ended = threading.Event()
    thread = threading.Thread(target=_renew, args=(rows, ended), daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _renew(rows: QuerySet[Any], ended: threading.Event) -> None:
    try:
        while not ended.wait(RENEW_SECONDS):
            try:
                rows.update(alive_at=Now())
            except Error:
                connection.close()  # the database may be back the next time
    finally:
        connection.close()  # a thread has its own
