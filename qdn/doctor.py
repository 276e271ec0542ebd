"""What `doctor` looks at: everything the system needs that is not its own. One check, one finding.

A check changes nothing but a probe object that it removes again. What a part refuses is a finding,
never a traceback.
"""

import secrets
from collections.abc import Callable, Iterator
from datetime import timedelta

from django.conf import settings
from django.core import checks
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone
from django_q.brokers import get_broker
from django_q.models import OrmQ, Schedule

from deployments.models import Distribution, Environment, Strategy
from edge.backends import get_backend
from edge.errors import EdgeError
from edge.functions.shipped import function_name
from edge.protocols import DEPLOYED, Backend, Diagnosis
from edge.runtime.njs import njs_command

START_CLUSTER = "Start the task cluster and keep it running: manage.py qcluster"
OLDEST_TASK = timedelta(minutes=1)
# The cluster looks at schedules every 30 seconds, and ours is due every minute.
OVERDUE = timedelta(minutes=3)

Findings = Iterator[Diagnosis]


def examine() -> list[Diagnosis]:
    """Look at settings, database, back end, tasks and tools."""
    found = [*_guarded("settings", _settings), *_guarded("database", _database)]
    if all(one.ok for one in found if one.name in {"database", "migrations"}):
        found += [*_guarded("tasks", _tasks), *_guarded("schedule", _schedule)]
        found += _backend_findings()
    return [*found, *_guarded("njs", _njs)]


def _backend_findings() -> list[Diagnosis]:
    try:
        backend = get_backend()
    except EdgeError as error:
        return [Diagnosis("back end", ok=False, message=error.message, hint=error.hint)]
    parts: dict[str, Callable[[Backend], Findings]] = {
        "object store": _objects,
        "key-value store": _keyvalues,
        "functions": _functions,
        "distributions": _distributions,
    }
    own = _guarded("back end", lambda: _own(backend))
    if not all(one.ok for one in own if one.name == "credentials"):
        return own  # without them the rest fails the same way, only later
    return own + [
        finding
        for name, check in parts.items()
        for finding in _guarded(name, lambda check=check: check(backend))  # type: ignore[misc]
    ]


def _guarded(name: str, check: Callable[[], Findings]) -> list[Diagnosis]:
    """Carry out a check; what goes wrong in it is its finding."""
    found: list[Diagnosis] = []
    try:
        found.extend(check())
    except EdgeError as error:
        found.append(Diagnosis(name, ok=False, message=error.message, hint=error.hint))
    except (DatabaseError, OSError) as error:
        told = " ".join(str(error).split()) or type(error).__name__
        found.append(Diagnosis(name, ok=False, message=told, hint=_HINTS.get(name, "")))
    return found


_HINTS = {
    "database": "Check DATABASE_URL, that the server runs and takes this user's password.",
    "tasks": "Check REDIS_URL, and that Redis runs.",
}


def _settings() -> Findings:
    serious = [one for one in checks.run_checks() if one.level >= checks.WARNING]
    for one in serious:
        yield Diagnosis(
            "settings", ok=one.level < checks.ERROR, message=str(one.msg), hint=str(one.hint or "")
        )
    if not serious:
        yield Diagnosis("settings", ok=True, message="the system checks find nothing")


def _database() -> Findings:
    connection.ensure_connection()
    yield Diagnosis("database", ok=True, message=f"{connection.vendor} answers")
    executor = MigrationExecutor(connection)
    missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    yield Diagnosis(
        "migrations",
        ok=not missing,
        message=f"{len(missing)} are missing" if missing else "all are applied",
        hint="Run: manage.py migrate",
    )


def _objects(backend: Backend) -> Findings:
    """Write an object, read it, remove it."""
    key, body = f"doctor/{secrets.token_hex(8)}", b"written by manage.py doctor\n"
    objects = backend.objects
    objects.put(key, body, content_type="text/plain", cache_control="no-store")
    same = objects.get(key).body == body
    objects.delete([key])
    yield Diagnosis(
        "object store",
        ok=same,
        message="takes, gives and deletes objects" if same else "gave something else back",
        hint="See what stands between: a proxy, or another bucket of the same name.",
    )


def _keyvalues(backend: Backend) -> Findings:
    backend.keyvalues.etag()
    yield Diagnosis("key-value store", ok=True, message="answers")


def _functions(backend: Backend) -> Findings:
    for environment in Environment.objects.filter(strategy=Strategy.POINTER):
        published = backend.functions.live(function_name(environment.name))
        needed = environment.live is not None
        yield Diagnosis(
            "functions",
            ok=published is not None or not needed,
            message=f"{environment}: {'published' if published else 'none is published'}",
            hint=f"Run: manage.py push_functions --environment {environment} --yes",
        )


def _distributions(backend: Backend) -> Findings:
    for row in Distribution.objects.select_related("environment"):
        status = backend.distribution.status(row.remote_id)
        yield Diagnosis(
            "distributions",
            ok=status == DEPLOYED,
            message=f"{row}: {status}",
            hint="A change is on its way to the edges: wait some minutes and look again.",
        )


def _own(backend: Backend) -> Findings:
    """What the back end itself knows to look at: credentials, permissions, clock, space."""
    yield from backend.diagnostics.diagnose() if backend.diagnostics else ()


def _tasks() -> Findings:
    if settings.REDIS_URL:
        answers, waiting = get_broker().ping(), get_broker().queue_size()
        message = f"{waiting} tasks wait in Redis" if answers else "Redis does not answer"
        yield Diagnosis("tasks", ok=answers, message=message, hint=_HINTS["tasks"])
        return
    now = timezone.now()
    # The lock of a task nobody has taken is when it was queued.
    oldest = OrmQ.objects.filter(lock__lte=now).order_by("lock").first()
    age = now - oldest.lock if oldest else timedelta()
    yield Diagnosis(
        "tasks",
        ok=age <= OLDEST_TASK,
        message=f"the oldest waits for {int(age.total_seconds())} s" if oldest else "none waits",
        hint=START_CLUSTER,
    )


def _schedule() -> Findings:
    """A cluster that runs keeps the schedule: what is overdue tells that none does."""
    first = Schedule.objects.order_by("next_run").first()
    if first is None:
        yield Diagnosis("schedule", ok=False, message="is empty", hint="Run: manage.py migrate")
        return
    late = max(timezone.now() - first.next_run, timedelta())
    overdue = late > OVERDUE
    told = f"'{first.name}' is overdue for {int(late.total_seconds())} s: no cluster is running"
    message = told if overdue else "is kept"
    yield Diagnosis("schedule", ok=not overdue, message=message, hint=START_CLUSTER)


def _njs() -> Findings:
    command = njs_command()
    yield Diagnosis(
        "njs",
        ok=bool(command) or settings.EDGE_BACKEND != "aws",
        message="is installed" if command else "is not installed: functions run in QuickJS only",
        hint="Install Debian's package njs: its engine is close to CloudFront's.",
    )
