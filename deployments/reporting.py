"""What is live, what exists, what happened: rows for people and for --json."""

from collections.abc import Iterator
from typing import Any

from deployments import error_page, functions
from deployments.models import Deployment, Environment, Release
from deployments.probing import answers
from deployments.routes import read_route
from edge.errors import EdgeError
from edge.protocols import Backend


def status_rows(backend: Backend) -> list[dict[str, Any]]:
    """Tell of every environment what is live, since when, by whom, and what disagrees with it."""
    return [_status(backend, environment) for environment in Environment.objects.all()]


def release_rows(limit: int) -> list[dict[str, Any]]:
    """Tell of the newest releases, newest first, and where they are live."""
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
            "live_in": live.get(release.pk, []),
        }
        for release in Release.objects.complete()[:limit]
    ]


def history_rows(limit: int, environment: Environment | None = None) -> list[dict[str, Any]]:
    """Tell of the last deployments, newest first."""
    found = Deployment.objects.select_related(
        "environment", "release", "previous", "function", "outcome"
    ).order_by("-pk")
    if environment:
        found = found.filter(environment=environment)
    return [_history(deployment) for deployment in found[:limit]]


def _history(deployment: Deployment) -> dict[str, Any]:
    outcome = getattr(deployment, "outcome", None)
    return {
        "deployment": deployment.pk,
        "at": deployment.at.isoformat(),
        "environment": deployment.environment.name,
        "kind": deployment.kind,
        "release": deployment.release.name,
        "previous": deployment.previous.name if deployment.previous else None,
        "function": deployment.function.digest,
        "actor": deployment.actor,
        "reason": deployment.reason,
        "result": outcome.result if outcome else "unfinished",
        "detail": outcome.detail if outcome else "",
    }


def _status(backend: Backend, environment: Environment) -> dict[str, Any]:
    live = environment.live
    document = read_route(backend.keyvalues, environment).document
    return {
        "environment": environment.name,
        "release": live.release.name if live else None,
        "previous": (document.previous or None) if document else None,
        "since": live.at.isoformat() if live else None,
        "actor": live.actor if live else None,
        "function": live.function.digest if live else None,
        "frozen": None,
        "drift": list(_drift(backend, environment, live)) if live else [],
    }


def _drift(backend: Backend, environment: Environment, live: Deployment) -> Iterator[str]:
    """Name every disagreement between the history and what the edge has, and what mends it."""
    mend = f"manage.py promote --release {live.release} --to {environment} --yes"
    route = read_route(backend.keyvalues, environment)
    served = route.document.release if route.document else "nothing"
    if not route.agrees or served != live.release.name:
        yield f"routing documents name {served}, history says {live.release}; run: {mend}"
    function = functions.live(backend, environment)
    if function is None or function.digest != live.function.digest:
        yield f"another edge function is live than {live.function}; run: {mend}"
    for fault in answers(backend.viewer, environment, live.release).values():
        yield f"{fault}; run: {mend}"
    if environment.deployments.unfinished().exists():
        yield f"a deployment was interrupted; run: {mend}"
    try:
        if backend.objects.head(error_page.KEY) is None:
            yield f"{error_page.KEY} is missing; run: {mend}"
    except EdgeError as error:
        yield f"the object store does not answer: {error}"
