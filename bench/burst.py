"""Books many jobs at once, then confirms a rollback in the admin, and says how long that takes.

Run it as `.venv/bin/python -m bench.burst` (`--bookings`, `--database`, `--redis` as for
bench/kills.py). The bookings are made while `work` is stopped, so that all their documents are
waiting when it starts. The rollback is confirmed as soon as the first ones are published.
"""

import argparse
import os
import tempfile
import time
from pathlib import Path

from bench.kills import Site, set_up
from tests.tasks.running import Work, wait_for


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--bookings", type=int, default=10_000)
    parser.add_argument("--database", default="")
    parser.add_argument("--redis", default="")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        set_up(folder, options.database, options.redis)
        site = Site(folder, links=0)
        site.work.stop()
        book(options.bookings)
        print(f"{options.bookings:,} bookings: {waiting()} publishing task(s) waiting", flush=True)
        site.work = Work(dict(os.environ), folder / "work.log")
        try:
            measure(site)
        finally:
            site.work.stop()


def book(number: int) -> None:
    from tracking.links import create_tracked_job  # noqa: PLC0415

    for one in range(number):
        create_tracked_job(
            actor="bench",
            name=f"Ann {one}",
            phone="907-555-0155",
            address=f"{one} Chena Ridge Road, Fairbanks, 99709",
        )


def waiting() -> int:
    from django_q.brokers import get_broker  # noqa: PLC0415

    found: int = get_broker("publishing").queue_size()
    return found


def measure(site: Site) -> None:
    from tracking.models import TrackingLink  # noqa: PLC0415

    behind = TrackingLink.objects.behind()
    most = behind.count()
    wait_for(lambda: behind.count() < most, "the first document")
    began = time.monotonic()
    operation = site.roll_back()

    def has_ended() -> bool:
        operation.refresh_from_db()
        return operation.ended_at is not None

    wait_for(has_ended, "the rollback")
    seconds = time.monotonic() - began
    print(f"rollback {operation.state} after {seconds:.1f} s, {behind.count():,} documents behind")
    wait_for(lambda: not behind.exists(), "all documents", 3600)
    print(f"all documents published {time.monotonic() - began:.0f} s after the confirmation")


if __name__ == "__main__":
    main()
