"""Changes jobs and publishes them with several workers, kills some, and lets the store fail.

Run it as `.venv/bin/python -m bench.publishing_faults`, with `--database postgres://...` for
another place than SQLite; it empties that PostgreSQL database. `--changes`, `--jobs`, `--workers`
and `--kills` do more or less. Each worker is a process that changes jobs in random order, now and
then replaces a link, and publishes what is behind. One write in 50 fails, half of them after
the store has written; one in 500 takes longer than a claim lasts. Some workers are killed with
SIGKILL while they publish and followed by others. In the end each document must be that of its
job's newest revision, nothing behind and no claim left. Exits with 1 otherwise.
"""

import argparse
import os
import random
import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager, suppress
from datetime import timedelta
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from bench.bookings import prepare

LEASE_SECONDS = 2
FAILING, STALLING, REPLACING = 50, 500, 50
CHANGES_PER_RUN = 4
GIVE_UP_SECONDS = 120


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--database", default="")
    parser.add_argument("--changes", type=int, default=10_000)
    parser.add_argument("--jobs", type=int, default=1_000)
    parser.add_argument("--workers", type=int, default=8)
    parser.add_argument("--kills", type=int, default=3)
    options = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        prepare(stack, folder, options.database)
        make_jobs(options.jobs)
        began = time.monotonic()
        killed = run_workers(options)
        changed = time.monotonic() - began
        settle()
        seconds = time.monotonic() - began
        problems = examine(options.changes)
    print(
        f"{options.database.partition(':')[0] or 'sqlite'}: {options.changes:,} changes of "
        f"{options.jobs:,} jobs by {options.workers} workers in {changed:.0f} s, {killed} killed; "
        f"all was current after {seconds:.0f} s, load {os.getloadavg()[0]:.1f}. "
        f"{'; '.join(problems) or 'Every document is that of the newest revision.'}"
    )
    return 1 if problems else 0


def make_jobs(number: int) -> None:
    from tests.builders import make_job  # noqa: PLC0415
    from tests.tracking.builders import make_link  # noqa: PLC0415

    for _ in range(number):
        make_link(job=make_job())


def run_workers(options) -> int:
    """Have all changes made; return how many workers were killed."""
    from django.db import connections  # noqa: PLC0415

    context = get_context("fork")
    shares = {
        f"worker {number}": options.changes // options.workers
        + (number < options.changes % options.workers)
        for number in range(options.workers)
    }
    kills = [
        options.changes * (number + 1) // (options.kills + 1) for number in range(options.kills)
    ]
    workers: dict[str, Any] = {}
    killed = 0
    while any(shares.values()) or workers:
        done = made_by_each()
        connections.close_all()  # a fork must not share one
        for name, share in shares.items():
            left = share - done.get(name, 0)
            if name not in workers and left > 0:
                workers[name] = context.Process(target=work, args=(name, left))
                workers[name].start()
        if kills and sum(done.values()) >= kills[0]:
            kills.pop(0)
            name = random.choice(list(workers))
            workers.pop(name).kill()
            killed += 1
        for name, process in list(workers.items()):
            if process.exitcode is not None:
                assert process.exitcode == 0, f"{name} ended with {process.exitcode}"
                del workers[name]
                shares[name] = 0
        time.sleep(0.05)
    return killed


def made_by_each() -> dict[str, int]:
    from django.db.models import Count  # noqa: PLC0415

    from dispatch.models import JobEvent  # noqa: PLC0415

    events = JobEvent.objects.filter(actor__startswith="worker").order_by()
    return dict(events.values_list("actor").annotate(Count("pk")))


def work(name: str, changes: int) -> None:
    """Change jobs and publish, as a process of its own."""
    random.seed()
    shorten_lease()
    objects = faulty_store()
    for number in range(changes):
        change(name)
        if number % CHANGES_PER_RUN == 0:
            publish_once(objects)
    publish_once(objects)


def shorten_lease() -> None:
    """Let claims lapse soon, so that slow workers lose theirs."""
    from tracking import claims  # noqa: PLC0415

    claims.LEASE = timedelta(seconds=LEASE_SECONDS)


def change(actor: str) -> None:
    """Change any job, again if another worker did so at the same time."""
    from dispatch.changing import change_details  # noqa: PLC0415
    from dispatch.errors import JobChangedMeanwhile  # noqa: PLC0415
    from dispatch.models import Job  # noqa: PLC0415
    from tracking.errors import LinkNotActive  # noqa: PLC0415
    from tracking.links import ensure_link, rotate  # noqa: PLC0415

    while True:
        job = Job.objects.order_by("pk")[random.randrange(Job.objects.count())]
        town = f"Town {random.randrange(10**9)}"
        with suppress(JobChangedMeanwhile):
            change_details(job=job, changes={"town": town}, actor=actor)
            break
    if not random.randrange(REPLACING):
        with suppress(LinkNotActive):
            rotate(link=ensure_link(job=job, actor=actor), actor=actor, reason="bench")


def publish_once(objects) -> None:
    from tracking.errors import PublishingFailed  # noqa: PLC0415
    from tracking.publishing import publish_behind  # noqa: PLC0415

    with suppress(PublishingFailed):
        publish_behind(objects=objects, seconds=1)


def faulty_store() -> "FaultyStore":
    from edge.backends import get_backend  # noqa: PLC0415

    return FaultyStore(get_backend().objects)


class FaultyStore:
    """An object store with failing and slow writes."""

    def __init__(self, objects) -> None:
        self.objects, self.head = objects, objects.head

    def put(self, *args, **kwargs):
        with faults():
            return self.objects.put(*args, **kwargs)

    def delete(self, keys):
        with faults():
            self.objects.delete(keys)


@contextmanager
def faults():
    """Fail now and then, before or after the write."""
    from edge.errors import BackendUnavailable  # noqa: PLC0415

    if not random.randrange(STALLING):
        time.sleep(LEASE_SECONDS + 1)
    fails = random.choice(["before", "after"]) if not random.randrange(FAILING) else ""
    if fails == "before":
        raise BackendUnavailable("Refused.", "Try again.")
    yield
    if fails == "after":
        raise BackendUnavailable("Written, but no answer.", "Try again.")


def settle() -> None:
    """Publish until nothing is behind: what killed workers had claimed waits for its lease."""
    from tracking.models import TrackingLink  # noqa: PLC0415

    shorten_lease()
    objects, ends = faulty_store(), time.monotonic() + GIVE_UP_SECONDS
    while TrackingLink.objects.behind().exists() and time.monotonic() < ends:
        publish_once(objects)
        time.sleep(0.1)


def examine(changes: int) -> list[str]:
    """Return what is wrong in the end."""
    import json  # noqa: PLC0415

    from edge.backends import get_backend  # noqa: PLC0415
    from tracking.comparing import compare_documents  # noqa: PLC0415
    from tracking.models import TrackingLink  # noqa: PLC0415

    objects, links = get_backend().objects, TrackingLink.objects
    found = compare_documents(objects)
    active = links.active().select_related("job")
    older = sum(
        json.loads(objects.get(link.key).body)["revision"] != link.job.revision for link in active
    )
    counts = {
        "changes missing": changes - sum(made_by_each().values()),
        "behind": links.behind().count(),
        "claimed": links.filter(claimed_at__isnull=False).count(),
        "missing": found.missing.count,
        "different": found.stale.count,
        "older": older,
        "without a link": found.orphaned,
        "too many or few": found.documents - active.count(),
    }
    return [f"{name}: {count}" for name, count in counts.items() if count]


if __name__ == "__main__":
    sys.exit(main())
