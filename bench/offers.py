"""Measures `/api/v1/windows` with few jobs and with many, and prints the ratios of the medians.

Run it as `.venv/bin/python -m bench.offers` (`--few`, `--many`, `--requests`, and `--database
postgres://...`, which it empties). Requests are answered in this process, without a cache.
Processor time is that of this process: all of it with SQLite, the application's part with
PostgreSQL.
"""

import argparse
import os
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from statistics import median

from bench.bookings import make_windows, prepare

PATH = "/api/v1/windows?zip=99709&service=junk&load=half"
# Copies of one job, with numbers of their own.
MORE_JOBS = """
INSERT INTO dispatch_job ({columns})
WITH RECURSIVE numbers (n) AS (
    SELECT {first} UNION ALL SELECT n + 1 FROM numbers WHERE n < {last}
)
SELECT {values} FROM numbers, dispatch_job WHERE dispatch_job.number = 1001
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--few", type=int, default=1_000)
    parser.add_argument("--many", type=int, default=1_000_000)
    parser.add_argument("--requests", type=int, default=200)
    parser.add_argument("--database", default="")
    options = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        prepare(stack, folder, options.database)
        make_windows()
        make_first_job()
        medians = []
        for first, last in ((1, options.few - 1), (options.few, options.many - 1)):
            add_jobs(first, last)
            waited, worked = (median(side) for side in zip(*times(options.requests), strict=True))
            medians.append((waited, worked))
            print(f"{last + 1:,} jobs: {waited * 1e3:.2f} ms, processor {worked * 1e3:.2f} ms")
    ratios = [many / few for few, many in zip(*medians, strict=True)]
    print(f"ratio {ratios[0]:.2f}, processor {ratios[1]:.2f}, load {os.getloadavg()[0]:.1f}")


def make_first_job() -> None:
    """Book a job in a window, for the others to be copies of."""
    from dispatch.models import ServiceWindow  # noqa: PLC0415
    from tests.builders import make_job  # noqa: PLC0415

    window = ServiceWindow.objects.latest("start")
    start, end = window.start, window.end
    make_job(window=window, window_units=1, window_start=start, window_end=end)


def add_jobs(first: int, last: int) -> None:
    """Copy the job, with the numbers first to last above its own."""
    from django.db import connection  # noqa: PLC0415

    from dispatch.models import Job  # noqa: PLC0415

    names = [str(field.column) for field in Job._meta.concrete_fields if not field.primary_key]
    changed = {"number": "number + n", "form_key": "NULL"}
    values = ", ".join(changed.get(name, name) for name in names)
    statement = MORE_JOBS.format(columns=", ".join(names), values=values, first=first, last=last)
    with connection.cursor() as cursor:
        cursor.execute(statement)
        cursor.execute("ANALYZE")
    assert Job.objects.count() == last + 1


def times(requests: int) -> list[tuple[float, float]]:
    """Return the seconds that each request took, and those of the processor, after a warm-up."""
    from django.test import Client  # noqa: PLC0415

    client, found = Client(HTTP_HOST="localhost"), []
    for _ in range(requests + 20):
        started, worked = time.perf_counter(), time.process_time()
        response = client.get(PATH)
        found.append((time.perf_counter() - started, time.process_time() - worked))
        assert response.status_code == 200, response.content
    return found[20:]


if __name__ == "__main__":
    main()
