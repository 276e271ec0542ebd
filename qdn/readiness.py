"""What /readyz looks at: one row and one function for each part.

A part that is needed makes the process not ready (503). The others are only reported: a web server
that is taken away because tasks wait makes things worse. Facts go to everyone who asks, so they
hold counts and times; no names, addresses or messages of errors.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from django.db import DatabaseError, connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

from deployments.models import Environment
from deployments.releases.manifest import MANIFEST
from dispatch.windows.recount import drift
from edge.backends import get_backend, has_local_edge
from edge.local_edge import snapshot_health
from qdn.backup.record import last_backup_age
from qdn.tasks import queues
from qdn.tasks.findings import fault_of
from qdn.tracking_check import PRODUCTION
from tracking.backlog import read_backlog
from tracking.models import TrackingCheck

LONGEST_WAIT = timedelta(minutes=1)
# Publishing takes a second, and after a failure it is repeated every minute.
LATE = timedelta(minutes=5)
OLD_BACKUP = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class Reading:
    """What a part says: whether it is fine, and facts for people, as JSON values."""

    ok: bool
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the system. `read` may raise or hang: both mean that the part is not fine."""

    name: str
    read: Callable[[], Reading]
    is_needed: Callable[[], bool] = lambda: False


def _always() -> bool:
    return True


def _database() -> Reading:
    """Ask which migrations are applied: pages fail without those of this version."""
    applied = MigrationRecorder(connection).applied_migrations()
    missing = sum(one not in applied for one in _last_migrations())
    return Reading(missing == 0, {"apps_to_migrate": missing})


@cache
def _last_migrations() -> list[tuple[str, str]]:
    names: list[tuple[str, str]] = MigrationLoader(None).graph.leaf_nodes()
    return names


def _store() -> Reading:
    """Look for the manifest of each live release, or for any key if none is live or known."""
    objects = get_backend().objects
    keys = _live_manifests()
    found = [objects.head(key) is not None for key in keys or ["errors/404.html"]]
    missing = found.count(False) if keys else 0
    return Reading(missing == 0, {"live_releases": len(keys), "missing": missing})


def _live_manifests() -> list[str]:
    try:
        live = [environment.live for environment in Environment.objects.all()]
    except DatabaseError:
        return []
    return sorted({one.release.key(MANIFEST) for one in live if one})


def _tasks() -> Reading:
    """Read how long the oldest task of each queue has waited, and when its cluster last worked."""
    ages = queues.ages()
    facts = {
        queue: {
            "oldest_seconds": _seconds(age.waiting),
            "heartbeat_seconds": _seconds(age.heartbeat),
        }
        for queue, age in ages.items()
    }
    waits = [age.waiting or 0 for age in ages.values()]
    is_late = max(waits, default=0) > LONGEST_WAIT.total_seconds()
    return Reading(not is_late and not any(fault_of(*one)[0] for one in ages.items()), facts)


def _publication() -> Reading:
    """Read how many tracking documents are behind, and for how long the first one has been."""
    backlog = read_backlog()
    return Reading(backlog.seconds <= LATE.total_seconds(), backlog.as_json())


def _windows() -> Reading:
    """Count the service windows to come whose `taken` is not what their jobs hold."""
    wrong = len(drift(timezone.now()))
    return Reading(wrong == 0, {"wrong_counts": wrong})


def _backup() -> Reading:
    """Read the age of the last backup."""
    age = last_backup_age(get_backend().objects)
    is_recent = age is not None and age <= OLD_BACKUP
    return Reading(is_recent, {"age_seconds": _seconds(age.total_seconds() if age else None)})


def _tracking() -> Reading:
    """Read how long the last check of production's tracking pages found a change to take."""
    last = TrackingCheck.objects.filter(environment=PRODUCTION).first()
    if last is None:
        return Reading(ok=True, facts={"age_seconds": None, "delay_ms": None})
    age = (timezone.now() - last.at).total_seconds()
    facts = {"age_seconds": _seconds(age), "delay_ms": last.total_ms}
    return Reading(not last.problem, facts)


def routing_report(environ: Mapping[str, Any]) -> dict[str, Any]:
    """Return the part `routing`: whether the local edge routes by what the back end says now.

    Without the back end it serves what it read last, or what a snapshot on disk says. Empty without
    a local edge. `environ` is a request's WSGI environ.
    """
    health = snapshot_health(environ)
    if health is None:
        return {}
    since = health.failing_since
    facts = {"from_disk": health.is_from_disk, "failing_since": _shown(since)}
    return {"routing": {"ok": since is None and not health.is_empty, "needed": False, **facts}}


def _seconds(age: float | None) -> int | None:
    return None if age is None else int(age)


def _shown(moment: datetime | None) -> str | None:
    return moment.isoformat(timespec="seconds") if moment else None


PARTS = (
    Part("database", _database, is_needed=_always),
    # With a CDN in front, this process serves bookings and the admin without the store.
    Part("store", _store, is_needed=has_local_edge),
    Part("tasks", _tasks),
    Part("publication", _publication),
    Part("tracking", _tracking),
    Part("windows", _windows),
    Part("backup", _backup),
)
