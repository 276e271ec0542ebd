"""Recording deployments: the intent before, the audit object and outcome after.

The audit object is written before the outcome, so a deployment with an outcome has both. The next
run settles one without (deployments/deploy/deploy.py).
"""

from django.db import DatabaseError, IntegrityError, transaction

from deployments import audit
from deployments.deploy import freezes
from deployments.deploy.plan import Target
from deployments.errors import ChangedMeanwhile, DeploymentError
from deployments.hooks.deliver import announce
from deployments.models import Deployment, Outcome, Release
from deployments.routing import functions
from edge.errors import EdgeError
from edge.protocols import Backend

# Errors expected during a deployment; any other is a defect, and the next run settles the record.
FAILURES = (DeploymentError, EdgeError, DatabaseError, KeyboardInterrupt)
Result = Outcome.Result


def record(target: Target, *, replaces: str) -> Deployment:
    """Record what is about to be done. Raises Refused if retention removed the release first."""
    with transaction.atomic():
        if not Release.objects.take(target.release):
            raise target.release.gone
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
    """Write the audit objects, then the outcome, and queue the hooks that follow.

    Raises EdgeError, and ChangedMeanwhile if a run that took the lock over has settled it.
    """
    outcome = Outcome(deployment=deployment, result=result, detail=detail[:500])
    audit.write_function(backend.objects, deployment.function)
    audit.write_deployment(backend.objects, deployment, outcome)
    try:
        with transaction.atomic():
            if result == Result.SUCCEEDED:
                freezes.update_after(deployment)
            outcome.save()
    except IntegrityError as error:
        settled = Outcome.objects.filter(deployment=deployment).first()
        if settled is None:
            raise
        audit.write_deployment(backend.objects, deployment, settled)  # was overwritten just now
        raise _settled_meanwhile(deployment, settled) from error
    announce(backend, outcome)


def _settled_meanwhile(deployment: Deployment, settled: Outcome) -> ChangedMeanwhile:
    return ChangedMeanwhile(
        "settled-meanwhile",
        f"Another run took the lock of {deployment.environment} over and settled deployment "
        f"{deployment.pk} of {deployment.release}: {str(settled).lower()}.",
        "Check what is live with: manage.py status. Then run the command again if it is still "
        "needed.",
    )
