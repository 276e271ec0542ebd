"""Counts what publishing one change costs in a database of 1,000 jobs and of 1,000,000.

Run it as `.venv/bin/python -m bench.publishing`, with `--database postgres://...` for another place
than SQLite; it empties that PostgreSQL database. `--most` and `--changes` do more or less. For each
change a job moves and the publishing task runs. Reported are the queries, the rows that they read
(SQLite: steps of its programs; PostgreSQL: rows that scans returned) and the time that the fastest
quarter stays under, and of the processor, which other load changes less. The jobs that change are
all over the table. Each change is a hold, which the customer sees. A change of the town, which the
search finds jobs by, is reported separately.
"""

import argparse
import os
import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path
from random import sample
from statistics import quantiles
from typing import NamedTuple

from bench.bookings import prepare

LEAST = 1_000
AIM = 1.2
COUNTED = 20
HOLD = {"on_hold": True, "hold_reason": "Waiting for a permit"}
SERIAL = "WITH RECURSIVE serial(n) AS (SELECT %s UNION ALL SELECT n + 1 FROM serial WHERE n < %s) "


class Cost(NamedTuple):
    """What a change and its publishing cost: queries, rows read, and milliseconds.

    searched_queries, searched_rows: of a change of a field that the search finds jobs by.
    """

    queries: int
    rows: int
    searched_queries: int
    searched_rows: int
    change_ms: float
    publish_ms: float
    processor_ms: float


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--database", default="")
    parser.add_argument("--most", type=int, default=1_000_000)
    parser.add_argument("--changes", type=int, default=100)
    options = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        prepare(stack, folder, options.database)
        costs = [measure(size, options.changes) for size in (LEAST, options.most)]
    few, many = costs
    name = options.database.partition(":")[0] or "sqlite"
    for size, cost in zip((LEAST, options.most), costs, strict=True):
        print(
            f"{name}, {size:,} jobs: {cost.queries} queries, {cost.rows} rows "
            f"({cost.searched_queries} and {cost.searched_rows} with a searched field), "
            f"change {cost.change_ms:.1f} ms, publishing {cost.publish_ms:.1f} ms, "
            f"processor {cost.processor_ms:.1f} ms"
        )
    ratio = (many.change_ms + many.publish_ms) / (few.change_ms + few.publish_ms)
    processor = many.processor_ms / few.processor_ms
    print(
        f"ratio of the times {ratio:.2f} (aim {AIM}), of this process's processor time "
        f"{processor:.2f}, load {os.getloadavg()[0]:.1f}"
    )
    return 0 if few.queries == many.queries and many.rows <= few.rows and ratio <= AIM else 1


def measure(size: int, changes: int) -> Cost:
    """Fill the database up to so many jobs, and measure what changes cost."""
    from dispatch.models import Job  # noqa: PLC0415

    fill(size)
    # Not the first: the others are copies of it.
    pks = sample(range(2, size + 1), 2 * COUNTED + changes)
    jobs = [Job.objects.get(pk=pk) for pk in pks]
    run(jobs[0], HOLD)  # which also queues the task that waits from then on
    searched = count(jobs[1:COUNTED], {"town": "Badger"})
    queries, rows = count(jobs[COUNTED : 2 * COUNTED], HOLD)
    times = [run(job, HOLD) for job in jobs[2 * COUNTED :]]
    quarters = (quantiles(one, n=4)[0] * 1_000 for one in zip(*times, strict=True))
    return Cost(queries, rows, *searched, *quarters)


def fill(size: int) -> None:
    """Copy the first job, with its event and its link, until there are so many."""
    from django.db import connection  # noqa: PLC0415

    from dispatch.models import Job, JobEvent  # noqa: PLC0415
    from tests.builders import make_job  # noqa: PLC0415
    from tests.tracking.builders import make_link  # noqa: PLC0415
    from tracking.models import TrackingLink  # noqa: PLC0415
    from tracking.tasks import publish  # noqa: PLC0415

    if not Job.objects.exists():
        job = make_job(number=1)
        make_link(job=job, token="")
        publish()
    have = Job.objects.count()
    digits = {"sqlite": "printf('%%064d', n)", "postgresql": "lpad(n::text, 64, '0')"}
    with connection.cursor() as cursor:
        copy(cursor, Job, {"id": "n", "number": "n"}, have, size)
        copy(cursor, JobEvent, {"id": "", "job_id": "n"}, have, size)
        own = {"id": "n", "job_id": "n", "token_sha256": digits[connection.vendor]}
        copy(cursor, TrackingLink, own, have, size)
        if connection.vendor == "postgresql":
            for model in (Job, TrackingLink):
                table = model._meta.db_table
                cursor.execute(f"SELECT setval('{table}_id_seq', {size})")
        cursor.execute("ANALYZE" if connection.vendor == "sqlite" else "VACUUM ANALYZE")


def copy(cursor, model, own: dict[str, str], have: int, size: int) -> None:
    columns = [field.column for field in model._meta.concrete_fields if not field.generated]
    columns = [name for name in columns if own.get(name) != ""]  # the database numbers the rows
    names = ", ".join(f'"{name}"' for name in columns)
    values = ", ".join(own.get(name, f'"{name}"') for name in columns)
    table = model._meta.db_table
    cursor.execute(
        f"{SERIAL}INSERT INTO {table} ({names}) SELECT {values} FROM serial, {table} WHERE id = 1",
        [have + 1, size],
    )


def run(job, changes) -> tuple[float, float, float]:
    """Change a job and publish it; return the seconds of each, and the processor's of both."""
    from dispatch.changing import change_details  # noqa: PLC0415
    from tracking.tasks import publish  # noqa: PLC0415

    began, processor = time.perf_counter(), time.process_time()
    change_details(job=job, changes=changes, actor="bench")
    changed = time.perf_counter()
    done = publish()
    assert done["written"] == 1, done
    ended = time.perf_counter()
    return changed - began, ended - changed, time.process_time() - processor


def count(jobs, changes) -> tuple[int, int]:
    """Return the queries and the rows read of one change and its publishing, on average."""
    from django.db import connection  # noqa: PLC0415
    from django.test.utils import CaptureQueriesContext  # noqa: PLC0415

    rows = sqlite_steps if connection.vendor == "sqlite" else postgresql_rows
    with CaptureQueriesContext(connection) as queries, rows() as read:
        for job in jobs:
            run(job, changes)
    return round(len(queries) / len(jobs)), round(read[0] / len(jobs))


@contextmanager
def sqlite_steps():
    """Count the steps of SQLite's programs, of which each row that is looked at takes some."""
    from django.db import connection  # noqa: PLC0415

    steps = [0]

    def step() -> int:
        steps[0] += 1
        return 0

    connection.connection.set_progress_handler(step, 1)
    yield steps
    connection.connection.set_progress_handler(None, 0)


@contextmanager
def postgresql_rows():
    """Count the rows that scans of tables and indexes returned."""
    from django.db import connection  # noqa: PLC0415

    def now() -> int:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_stat_force_next_flush()")
            cursor.execute("SELECT 1")
            cursor.execute(
                "SELECT sum(seq_tup_read + coalesce(idx_tup_fetch, 0)) FROM pg_stat_user_tables"
            )
            return int(cursor.fetchone()[0])

    rows = [0]
    before = now()
    yield rows
    rows[0] = now() - before


if __name__ == "__main__":
    sys.exit(main())
