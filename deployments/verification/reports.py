"""What is live, what exists, what happened: rows for tables and for --json."""

from typing import Any

from deployments.live_history import rollback_release
from deployments.models import Deployment, Environment, Freeze, Maintenance, Release
from deployments.timings.summary import lately
from deployments.verification.checks import find_drift
from edge.protocols import Backend


def status_rows(backend: Backend) -> list[dict[str, Any]]:
    """Return what each environment has live, since when, by whom, and its drift."""
    return [_status(backend, environment) for environment in Environment.objects.all()]


def release_rows(limit: int, *, everything: bool = False) -> list[dict[str, Any]]:
    """Return the latest releases, newest first, and where they are live.

    With `everything`, those that were removed or never finished too.
    """
    shown = Release.objects.all() if everything else Release.objects.complete()
    live: dict[int, list[str]] = {}
    for environment in Environment.objects.all():
        if environment.live:
            live.setdefault(environment.live.release_id, []).append(environment.name)
    return [
        {
            "release": release.name,
            "created_at": release.created_at.isoformat(),
            "files": release.files,
            "bytes": release.bytes,
            "message": release.message,
            "commit": release.commit,
            "branch": release.branch,
            "author": release.author,
            "live_in": live.get(release.pk, []),
            "pinned": release.pinned,
            "state": release.state,
        }
        for release in shown[:limit]
    ]


def history_rows(
    limit: int, environment: Environment | None = None, **filters: Any
) -> list[dict[str, Any]]:
    """Return the latest deployments, newest first; a query filter of None is ignored."""
    found = Deployment.objects.select_related(
        "environment", "release", "replaced", "function", "outcome"
    ).order_by("-pk")
    wanted = {"environment": environment, **filters}
    found = found.filter(**{name: value for name, value in wanted.items() if value is not None})
    return [_history(deployment) for deployment in found[:limit]]


def _history(deployment: Deployment) -> dict[str, Any]:
    outcome = getattr(deployment, "outcome", None)
    return {
        "deployment": deployment.pk,
        "at": deployment.at.isoformat(),
        "environment": deployment.environment.name,
        "kind": deployment.kind,
        "percent": deployment.percent,
        "release": deployment.release.name,
        "previous": deployment.replaced.name if deployment.replaced else None,
        "function": deployment.function.digest,
        "actor": deployment.actor,
        "reason": deployment.reason,
        "result": outcome.result if outcome else "unfinished",
        "detail": outcome.detail if outcome else "",
    }


def _status(backend: Backend, environment: Environment) -> dict[str, Any]:
    live, canary = environment.live, environment.canary
    previous = rollback_release(environment)
    return {
        "environment": environment.name,
        "release": live.release.name if live else None,
        "previous": previous.name if previous else None,
        "since": live.at.isoformat() if live else None,
        "actor": live.actor if live else None,
        "function": live.function.digest if live else None,
        "canary": {
            "release": canary.release.name,
            "percent": canary.percent,
            "margin": environment.canary_margin,
        }
        if canary
        else None,
        "timings": [one.as_json() for one in lately(environment)],
        "frozen": _frozen(environment.frozen),
        "guards": [
            {
                "release": str(guard.release),
                "reason": guard.reason,
                "actor": guard.actor,
                "since": guard.at.isoformat(),
            }
            for guard in environment.freezes.in_force().guards().select_related("release")
        ],
        "maintenance": _maintenance(environment.maintenance),
        "drift": [str(one) for one in find_drift(backend, environment)],
    }


def _frozen(freeze: Freeze | None) -> dict[str, Any] | None:
    if freeze is None:
        return None
    return {
        "reason": freeze.reason,
        "actor": freeze.actor,
        "since": freeze.at.isoformat(),
        "until": freeze.until.isoformat() if freeze.until else None,
    }


def _maintenance(row: Maintenance | None) -> dict[str, Any] | None:
    if row is None:
        return None
    return {
        "message": row.message,
        "reason": row.reason,
        "actor": row.actor,
        "since": row.at.isoformat(),
    }
