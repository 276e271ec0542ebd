"""Recording deployments: intent before, outcome and audit object after.

The audit object is written before the outcome, so a deployment with an outcome has both; one
without is settled by the next run (deployments/settling.py).
"""

import json
from typing import Any

from django.db import DatabaseError, transaction

from deployments import freezing, functions
from deployments.errors import DeploymentError
from deployments.models import Deployment, Outcome, Release
from deployments.plans import Target
from edge.errors import EdgeError
from edge.protocols import Backend

# What may go wrong underway; anything else is a defect, and the next run settles the record.
FAILURES = (DeploymentError, EdgeError, DatabaseError, KeyboardInterrupt)
Result = Outcome.Result


def record(target: Target, *, previous: str) -> Deployment:
    """Write down what is about to be done."""
    return Deployment.objects.create(
        environment=target.environment,
        release=target.release,
        previous=Release.objects.filter(name=previous).first(),
        function=functions.keep(target.function),
        kind=target.kind,
        percent=target.percent,
        strategy=target.environment.strategy,
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
    with transaction.atomic():
        if result == Result.SUCCEEDED:
            freezing.keep_up(deployment)
        Outcome.objects.create(deployment=deployment, result=result, detail=detail[:500])


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
        "strategy": deployment.strategy,
        "actor": deployment.actor,
        "reason": deployment.reason,
        "at": deployment.at.isoformat(),
        "result": result.value,
        "detail": detail,
    }
