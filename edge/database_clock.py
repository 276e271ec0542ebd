"""The database's clock: the only one that all machines of an installation share.

Times that one machine writes and another compares with "now" come from here (leases, claims, marks,
the history), so a machine whose own clock is wrong does no harm. In queries, use Django's `Now()`.
With SQLite it is the clock of the machine.
"""

from datetime import datetime

from django.db import DEFAULT_DB_ALIAS
from django.db.models.functions import Now
from django.db.models.sql import Query


def database_now() -> datetime:
    """Return the database's time, aware, to the millisecond at least. Raises DatabaseError."""
    query = Query(None)
    query.add_annotation(Now(), "now")
    found: datetime = next(iter(query.get_compiler(using=DEFAULT_DB_ALIAS).results_iter()))[0]
    return found
