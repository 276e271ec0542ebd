"""Reading the database as of one moment, while others write."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper


@contextmanager
def snapshot() -> Iterator[BaseDatabaseWrapper]:
    """Open a second connection that sees the database as of its first query.

    It blocks no writer: SQLite (WAL) and PostgreSQL both keep what it reads.
    """
    reader = connection.copy()
    options = reader.settings_dict["OPTIONS"] = dict(reader.settings_dict.get("OPTIONS") or {})
    if reader.vendor == "sqlite":
        options["transaction_mode"] = "DEFERRED"  # ours takes the write lock at once
    else:
        # Imported here because only PostgreSQL needs it.
        from psycopg import IsolationLevel  # noqa: PLC0415

        options["isolation_level"] = IsolationLevel.REPEATABLE_READ
    try:
        reader.set_autocommit(False, force_begin_transaction_with_broken_autocommit=True)
        yield reader
        reader.rollback()
    finally:
        reader.close()
