"""Recording deployments: intent before, outcome and audit object after.

The audit object is written before the outcome, so a deployment with an outcome has both; one
without is settled by the next run (deployments/deploy/deploy.py).
"""

from django.db import DatabaseError, transaction

from deployments import audit
from deployments.deploy import freezes
from deployments.deploy.plan import Target
from deployments.errors import DeploymentError
from deployments.models import Deployment, Outcome, Release
from deployments.routing import functions
from edge.errors import EdgeError
from edge.protocols import Backend

# What may go wrong underway; anything else is a defect, and the next run settles the record.
FAILURES = (DeploymentError, EdgeError, DatabaseError, KeyboardInterrupt)
Result = Outcome.Result


def record(target: Target, *, replaces: str) -> Deployment:
    """Write down what is about to be done. Raises Refused when retention came first."""
    with transaction.atomic():
        if not Release.objects.take(target.release):
            raise target.release.gone
        return _record(target, replaces)


def _record(target: Target, replaces: str) -> Deployment:
    return Deployment.objects.create(
        environment=target.environment,
        release=target.release,
        replaced=Release.objects.filter(name=replaces).first(),
        function=functions.keep(target.function),
        kind=target.kind,
        percent=target.percent,
        strategy=target.environment.strategy,
        actor=target.actor,
        reason=target.reason,
    )


def finish(backend: Backend, deployment: Deployment, result: Result, *, detail: str = "") -> None:
    """Write the audit objects, then the outcome. Raises EdgeError."""
    outcome = Outcome(deployment=deployment, result=result, detail=detail[:500])
    audit.write_function(backend.objects, deployment.function)
    audit.write_deployment(backend.objects, deployment, outcome)
    with transaction.atomic():
        if result == Result.SUCCEEDED:
            freezes.keep_up(deployment)
        outcome.save()
