"""Counting views: in memory, then every few seconds in the database, in one statement.

So a burst of reports costs the database no more than a trickle, and no page or booking waits for
them. What a process has not written when it ends, or when the database refuses it, is lost.
"""

import logging
import threading
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db import DatabaseError, connection
from django.utils import timezone

from deployments.models import PageTiming
from edge.database_clock import database_now

log = logging.getLogger(__name__)
KEPT = timedelta(days=90)
# Rows of a statement: SQLite takes 32,766 values.
MOST_ROWS = 1000
COLUMNS = ("hour", "environment_id", "release_id", "surface", "metric", "bucket", "count")

# Hour, environment, release, surface, metric, bucket.
Row = tuple[datetime, int, int, str, str, int]

_lock = threading.Lock()
_counts: Counter[Row] = Counter()
_writer: threading.Timer | None = None


def count(environment: int, release: int, surface: str, buckets: Iterable[tuple[str, int]]) -> None:
    """Count a view of this hour. With TIMINGS_WRITE_SECONDS = 0 it is written at once."""
    global _writer  # noqa: PLW0603 - one per process
    hour = hour_of(timezone.now())
    with _lock:
        _counts.update((hour, environment, release, surface, *one) for one in buckets)
        if settings.TIMINGS_WRITE_SECONDS and _writer is None:
            _writer = threading.Timer(settings.TIMINGS_WRITE_SECONDS, _write_apart)
            _writer.daemon = True  # a process that ends does not wait
            _writer.start()
    if not settings.TIMINGS_WRITE_SECONDS:
        write()


def hour_of(moment: datetime) -> datetime:
    """Return the beginning of a moment's hour."""
    return moment.replace(minute=0, second=0, microsecond=0)


def write() -> None:
    """Add what was counted to the database, or log that it is lost."""
    global _writer  # noqa: PLW0603
    with _lock:
        counted = sorted(_counts.items())  # in one order, so that processes do not deadlock
        _counts.clear()
        _writer = None
    try:
        for start in range(0, len(counted), MOST_ROWS):
            _add(counted[start : start + MOST_ROWS])
    except DatabaseError as error:
        log.warning("Timings of %d counts are lost: %s", len(counted), error)


def forget_old() -> int:
    """Delete the counts of hours that are too old; return how many rows."""
    return PageTiming.objects.filter(hour__lt=database_now() - KEPT).delete()[0]


def _write_apart() -> None:
    """Write in the timer's thread, which has a connection of its own."""
    try:
        write()
    finally:
        connection.close()


def _add(rows: Sequence[tuple[Row, int]]) -> None:
    """Add counts to rows that exist, and make the others: the ORM's upsert cannot add."""
    table, key = PageTiming._meta.db_table, ", ".join(COLUMNS[:-1])
    row = f"({', '.join(['%s'] * len(COLUMNS))})"
    statement = (
        f"INSERT INTO {table} ({key}, count) VALUES {', '.join([row] * len(rows))} "  # noqa: S608
        f"ON CONFLICT ({key}) DO UPDATE SET count = {table}.count + excluded.count"
    )
    values = [value for one, counted in rows for value in (*_stored(one), counted)]
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


def _stored(row: Row) -> tuple[str | int | None, ...]:
    """Return a row with its hour as the database has it."""
    return (connection.ops.adapt_datetimefield_value(row[0]), *row[1:])
