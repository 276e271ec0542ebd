"""The checks of `doctor`: settings, and everything outside that the system depends on.

Checks change nothing, except for a test object that is deleted again. An error in a check is a
finding, not a traceback.
"""

import secrets
from collections.abc import Callable, Iterator
from functools import partial

from django.core import checks
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from redis.exceptions import RedisError

from deployments.models import Distribution, Environment, Strategy
from deployments.wording import plural
from edge.backends import get_backend
from edge.errors import EdgeError
from edge.functions.shipped import function_name
from edge.protocols import DEPLOYED, Backend, Diagnosis
from edge.runtime.njs import njs_command
from qdn.tasks.findings import queue_findings, schedule_findings

Findings = Iterator[Diagnosis]


def examine() -> list[Diagnosis]:
    """Check settings, database, tasks, the back end and njs."""
    found = [*_guarded("settings", _settings), *_guarded("database", _database)]
    if all(one.ok for one in found if one.name in {"database", "migrations"}):
        found += [*_guarded("tasks", queue_findings), *_guarded("schedule", schedule_findings)]
        found += _examine_backend()
    return found


def _examine_backend() -> list[Diagnosis]:
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
    found = _guarded("back end", lambda: _diagnostics(backend))
    # Without credentials every other check fails for the same reason.
    if all(one.ok for one in found if one.name == "credentials"):
        for name, check in parts.items():
            found += _guarded(name, partial(check, backend))
    return [*found, njs_finding(njs_command(), backend)]


def _guarded(name: str, check: Callable[[], Findings]) -> list[Diagnosis]:
    """Run a check; an error in it becomes a finding."""
    found: list[Diagnosis] = []
    try:
        found.extend(check())
    except EdgeError as error:
        found.append(Diagnosis(name, ok=False, message=error.message, hint=error.hint))
    except (DatabaseError, OSError, RedisError) as error:
        message = " ".join(str(error).split()) or type(error).__name__
        found.append(Diagnosis(name, ok=False, message=message, hint=_HINTS.get(name, "")))
    return found


_HINTS = {
    "database": "Check DATABASE_URL, and that the server runs and accepts the password.",
    "tasks": "Check REDIS_URL, and that Redis is running.",
}


def _settings() -> Findings:
    problems = [one for one in checks.run_checks() if one.level >= checks.WARNING]
    for one in problems:
        yield Diagnosis(
            "settings", ok=one.level < checks.ERROR, message=str(one.msg), hint=str(one.hint or "")
        )
    if not problems:
        yield Diagnosis("settings", ok=True, message="the system checks found no problems")


def _database() -> Findings:
    connection.ensure_connection()
    yield Diagnosis("database", ok=True, message=f"{connection.vendor} answers")
    executor = MigrationExecutor(connection)
    missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    yield Diagnosis(
        "migrations",
        ok=not missing,
        message=f"{plural(len(missing), 'migration')} missing" if missing else "all applied",
        hint="Run: manage.py migrate",
    )


def _objects(backend: Backend) -> Findings:
    """Write an object, read it, delete it."""
    key, body = f"doctor/{secrets.token_hex(8)}", b"written by manage.py doctor\n"
    objects = backend.objects
    objects.put(key, body, content_type="text/plain", cache_control="no-store")
    same = objects.get(key).body == body
    objects.delete([key])
    yield Diagnosis(
        "object store",
        ok=same,
        message="writes, reads and deletes work" if same else "returned another content",
        hint="Check what is in between, such as a proxy.",
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
            message=f"{environment}: {'published' if published else 'not published'}",
            hint=f"Run: manage.py push_functions --environment {environment} --yes",
        )


def _distributions(backend: Backend) -> Findings:
    for row in Distribution.objects.select_related("environment"):
        status = backend.distribution.status(row.remote_id)
        yield Diagnosis(
            "distributions",
            ok=status == DEPLOYED,
            message=f"{row}: {status}",
            hint="A change is being rolled out: wait a few minutes, then check again.",
        )


def _diagnostics(backend: Backend) -> Findings:
    yield from backend.diagnostics.diagnose() if backend.diagnostics else ()


def njs_finding(command: str | None, backend: Backend) -> Diagnosis:
    """Return whether njs is installed; it has to be if viewers get another engine than QuickJS."""
    return Diagnosis(
        "njs",
        ok=bool(command) or not backend.runs_functions,
        message="installed" if command else "not installed: functions are tested in QuickJS only",
        hint="Install Debian's package njs: its engine is close to CloudFront's.",
    )
