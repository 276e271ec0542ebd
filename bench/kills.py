"""Kills each process of the task clusters with SIGKILL, idle and busy, and sees what gets lost.

Run it as `.venv/bin/python -m bench.kills`, with `--database postgres://...` or `--redis
redis://...` for other places than SQLite and its broker, and `--rounds`, `--only` to do more or
less. It works in a temporary folder; it empties that PostgreSQL database and removes the queues in
that Redis.

After each kill there is work for every queue: tracking documents that are behind, a rollback that
was confirmed in the admin, and the daily task. Reported is how long after the kill all of it was
done. `work` is started again a second after it was killed, as systemd does it.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import django

from tests.tasks.running import PARTS, ROOT, Work, wait_for

GIVE_UP_SECONDS = 180
RESTART_SECONDS = 1
BUSY_LINKS = 400
QUEUES = ("publishing", "messages", "deployments", "builds", "quickdumpnow")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--database", default="")
    parser.add_argument("--redis", default="")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", default="", help='such as "publishing worker"')
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        set_up(Path(folder), options.database, options.redis)
        site = Site(Path(folder))
        try:
            rows = list(walk(site, options.rounds, options.only))
        finally:
            with suppress(Exception):
                site.work.stop()
            print(site.work.log.read_text()[-3000:], file=sys.stderr)
    worst = max(row["seconds"] for row in rows)
    lost = sum(row["lost"] for row in rows)
    print(f"{len(rows)} kills: slowest {worst:.1f} s, lost {lost}")


def set_up(folder: Path, database: str, redis: str) -> None:
    """Set the environment of this process and its children, and make an empty installation."""
    for name in ("DATABASE_URL", "REDIS_URL", "DATA_DIR", "EDGE_BACKEND", "SITE_URL"):
        os.environ.pop(name, None)
    os.environ |= {"DATA_DIR": str(folder / "var"), "DJANGO_SETTINGS_MODULE": "qdn.settings"}
    os.environ |= {"PRUNE_SCHEDULED": "true", "EDGE_PROBE_SECONDS": "5"}
    if database:
        os.environ["DATABASE_URL"] = database
    if redis:
        os.environ["REDIS_URL"] = redis
    django.setup()
    from django.db import connection  # noqa: PLC0415
    from django_q.brokers import get_broker  # noqa: PLC0415

    if database:
        with connection.cursor() as cursor:
            cursor.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    if redis:
        for queue in QUEUES:
            get_broker(queue).delete_queue()
    manage("migrate", "--verbosity", "0")


def manage(*words: str) -> None:
    subprocess.run([sys.executable, "manage.py", *words], cwd=ROOT, check=True)


class Site:
    """Two releases that were live on production, many jobs with links, and `work` running."""

    def __init__(self, folder: Path, links: int = BUSY_LINKS) -> None:
        from deployments.models import Environment  # noqa: PLC0415
        from tests.deployments.sites import write_site  # noqa: PLC0415

        for mark in "AB":
            site = write_site(folder / mark, mark=mark)
            manage("push", "--source", str(site), "--json")
            manage("promote", "--yes", "--json")
        self.environment = Environment.objects.get(name="production")
        self.releases = [one.release for one in self.environment.deployments.order_by("pk")][-2:]
        self._make_jobs(links)
        self.work = Work(dict(os.environ), folder / "work.log")

    def _make_jobs(self, number: int) -> None:
        from tests.builders import make_job  # noqa: PLC0415
        from tests.tracking.builders import make_link  # noqa: PLC0415

        for _ in range(number):
            make_link(job=make_job())

    def settle(self) -> None:
        """Wait until every queue beats and nothing is left to do."""
        from django.utils import timezone  # noqa: PLC0415

        from qdn.models import Heartbeat  # noqa: PLC0415

        began = timezone.now()

        def is_quiet() -> bool:
            beats = Heartbeat.objects.filter(beat_at__gt=began).count()
            return beats == len(QUEUES) and self.is_published()

        wait_for(is_quiet, "a quiet moment", GIVE_UP_SECONDS)

    def change(self, number: int) -> None:
        """Change jobs, as dispatchers would."""
        from django.db.models import F  # noqa: PLC0415
        from django.db.models.functions import Now  # noqa: PLC0415

        from dispatch.models import Job  # noqa: PLC0415
        from tracking.models import TrackingLink  # noqa: PLC0415
        from tracking.queue import request_publishing  # noqa: PLC0415

        pks = list(Job.objects.order_by("?").values_list("pk", flat=True)[:number])
        Job.objects.filter(pk__in=pks).update(revision=F("revision") + 1)
        due = TrackingLink.objects.filter(job__in=pks)
        due.update(due_revision=F("due_revision") + 1, due_since=Now())
        request_publishing()

    def is_published(self):
        from tracking.models import TrackingLink  # noqa: PLC0415

        return not TrackingLink.objects.behind().exists()

    def roll_back(self):
        """Confirm a rollback to the release that is not live; return the operation."""
        from deployments.models import Deployment  # noqa: PLC0415
        from deployments.operations import run  # noqa: PLC0415
        from deployments.operations.proposals import DeployRequest, propose  # noqa: PLC0415
        from edge.backends import get_backend  # noqa: PLC0415

        live = self.environment.live.release
        other = next(one for one in self.releases if one != live)
        asked = DeployRequest(Deployment.Kind.ROLLBACK, self.environment, release=other)
        proposal = propose(get_backend(), asked, actor="bench", reason="bench")
        return run.ask(
            environment=self.environment, proposal=proposal, actor="bench", reason="bench"
        )

    def run_daily_task(self):
        """Queue the daily task as the scheduler does; return the schedule's name."""
        from django_q.models import Schedule  # noqa: PLC0415
        from django_q.tasks import async_task  # noqa: PLC0415

        schedule = Schedule.objects.get(name="Remove old releases")
        options = {"cluster": "quickdumpnow", "group": schedule.name}
        schedule.task = async_task(schedule.func, q_options=options)
        schedule.save(update_fields=["task"])
        return schedule.name


def walk(site: Site, rounds: int, only: str):
    """Kill each kind of process `rounds` times, idle and busy; report each."""
    kinds = [("", "supervisor")] + [(queue, part) for queue in QUEUES for part in PARTS]
    for queue, part in kinds:
        for busy in (False, True):
            title = f"{queue} {part} {'busy' if busy else 'idle'}".strip()
            if only not in title:
                continue
            found = [measure(site, queue, part, busy) for _ in range(rounds)]
            yield from found
            seconds = [f"{one['seconds']:.1f}" for one in found]
            hit = sum(one["hit"] for one in found)
            lost = sum(one["lost"] for one in found)
            print(
                f"{title:28} {', '.join(seconds)} s; work under way {hit}, lost {lost}", flush=True
            )


def measure(site: Site, queue: str, part: str, busy: bool) -> dict:
    """Kill once; return the seconds until all work was done, and how much was lost."""
    site.settle()
    operation = None
    if busy:
        site.change(BUSY_LINKS)
        operation, schedule = site.roll_back(), site.run_daily_task()
        hit = wait_until_busy(queue, operation)
        time.sleep(random.uniform(0, 0.3))
        hit = hit and is_busy(queue, operation)
    else:
        hit = False
    site.work.kill(queue, part)
    killed = time.monotonic()
    if not busy:
        site.change(3)
        operation, schedule = site.roll_back(), site.run_daily_task()
    restart_at = killed + RESTART_SECONDS if part == "supervisor" else None
    left = {"documents", "operation", "daily task"}
    while left and time.monotonic() - killed < GIVE_UP_SECONDS:
        if restart_at and time.monotonic() > restart_at:
            site.work.start()
            restart_at = None
        left = {one for one in left if not is_done(site, one, operation, schedule)}
        time.sleep(0.1)
    seconds = time.monotonic() - killed
    check(operation)
    if left:
        print(f"  left: {left}", flush=True)
    return {"seconds": seconds, "lost": len(left), "hit": int(hit)}


def is_busy(queue: str, operation):
    """Whether work of a queue (of the supervisor: any) has begun and not ended."""
    from tracking.models import TrackingLink  # noqa: PLC0415

    operation.refresh_from_db()
    publishes = 0 < TrackingLink.objects.behind().count() < BUSY_LINKS
    deploys = operation.state == operation.State.RUNNING
    return {"publishing": publishes, "deployments": deploys}.get(queue, publishes or deploys)


def wait_until_busy(queue: str, operation) -> bool:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if is_busy(queue, operation):
            return True
        time.sleep(0.01)
    return False


def is_done(site: Site, what: str, operation, schedule: str):
    from django_q.models import Schedule, Task  # noqa: PLC0415

    if what == "documents":
        return site.is_published()
    if what == "operation":
        operation.refresh_from_db()
        return operation.ended_at is not None
    task = Schedule.objects.get(name=schedule).task
    return Task.objects.filter(id=task).exists()


def check(operation) -> None:
    """Check that the rollback was done, and once."""
    operation.refresh_from_db()
    steps = json.dumps([step.line for step in operation.steps.all()], indent=1)
    assert operation.state == operation.State.DONE, f"the rollback {operation.state}: {steps}"
    made = operation.environment.deployments.filter(at__gte=operation.asked_at)
    results = [one.outcome.result for one in made]
    assert results.count("succeeded") == 1, f"{results}: {steps}"


if __name__ == "__main__":
    main()
