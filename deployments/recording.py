"""Recording deployments: intent before, outcome and audit object after.

The audit object is written before the outcome, so a deployment with an outcome has both; one
without is settled by the next run.
"""

import json
from collections.abc import Callable
from typing import Any

from deployments import error_page, functions
from deployments.models import Deployment, Environment, Outcome, Release
from deployments.plans import Target
from deployments.routes import read_route
from edge.protocols import Backend

Result = Outcome.Result


def record(target: Target, *, previous: str) -> Deployment:
    """Write down what is about to be done."""
    return Deployment.objects.create(
        environment=target.environment,
        release=target.release,
        previous=Release.objects.filter(name=previous).first(),
        function=functions.keep(target.function),
        kind=target.kind,
        actor=target.actor,
        reason=target.reason,
    )


def finish(backend: Backend, deployment: Deployment, result: Result, *, detail: str = "") -> None:
    """Write the audit object, then the outcome. Raises EdgeError."""
    backend.objects.put(
        audit_key(deployment),
        json.dumps(audit_document(deployment, result, detail), indent=1).encode(),
        content_type="application/json",
        cache_control="no-store",
    )
    Outcome.objects.create(deployment=deployment, result=result, detail=detail[:500])


def settle_unfinished(
    backend: Backend, environment: Environment, *, say: Callable[[str], None]
) -> None:
    """Give every interrupted deployment the outcome it had, by what the environment serves.

    Called with the lock held, so nobody is at work on them.
    """
    unfinished = list(environment.deployments.unfinished().select_related("release", "function"))
    for deployment in unfinished:
        took_place = deployment == unfinished[-1] and _is_in_force(backend, deployment)
        result = Result.SUCCEEDED if took_place else Result.ABANDONED
        say(f"Settle interrupted deployment {deployment.pk}: {result.label.lower()}")
        if took_place:
            error_page.refresh(backend, deployment)
        finish(backend, deployment, result, detail="Interrupted; settled by a later run.")


def audit_key(deployment: Deployment) -> str:
    """Name the audit object: `audit/<time>-<deployment>.json`."""
    return f"audit/{deployment.at:%Y%m%d-%H%M%S}-{deployment.pk}.json"


def audit_document(deployment: Deployment, result: Result, detail: str) -> dict[str, Any]:
    """Tell all of a deployment, so that history survives the loss of the database."""
    return {
        "v": 1,
        "deployment": deployment.pk,
        "environment": deployment.environment.name,
        "release": deployment.release.name,
        "previous": deployment.previous.name if deployment.previous else None,
        "function": deployment.function.digest,
        "kind": deployment.kind,
        "actor": deployment.actor,
        "reason": deployment.reason,
        "at": deployment.at.isoformat(),
        "result": result.value,
        "detail": detail,
    }


def _is_in_force(backend: Backend, deployment: Deployment) -> bool:
    document = read_route(backend.keyvalues, deployment.environment).document
    live = functions.live(backend, deployment.environment)
    return (
        document is not None
        and document.release == deployment.release.name
        and live is not None
        and live.digest == deployment.function.digest
    )
