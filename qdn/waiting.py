"""How long this process waits for locks that others hold in the database.

A command can wait, but behind a request are a person and one of few threads. So the web server
gives up early, and the person gets the input back (qdn/failures.py).
"""

from functools import partial
from typing import Any

from django.db.backends.signals import connection_created

STATEMENTS = {"sqlite": "PRAGMA busy_timeout = {}", "postgresql": "SET lock_timeout = {}"}


def wait_at_most(*, seconds: float) -> None:
    """Limit the wait of each connection that this process opens from now on."""
    limit = partial(limit_wait, seconds=seconds)
    connection_created.connect(limit, weak=False, dispatch_uid="qdn.waiting")


def limit_wait(*, connection: Any, seconds: float, **kwargs: Any) -> None:
    """Limit the wait of an open connection. Receives connection_created, which passes more."""
    with connection.cursor() as cursor:
        cursor.execute(STATEMENTS[connection.vendor].format(round(seconds * 1000)))
