"""An environment with nothing live in its history: never deployed to, or its database was lost."""

from deployments.drift import DOCTOR, Drift
from deployments.models import Environment, Release, Strategy
from deployments.plans import serve_command
from deployments.routes import read_route
from edge.errors import EdgeError
from edge.protocols import Backend


def drift_of_nothing(backend: Backend, environment: Environment) -> list[Drift]:
    """Is a first deployment unfinished, and do routing documents name a release all the same?"""
    drifts = []
    for deployment in environment.deployments.unfinished().select_related("release"):
        command = serve_command(deployment.release, environment)
        drifts.append(Drift("unfinished", f"deployment {deployment.pk} was interrupted", command))
    if environment.strategy == Strategy.COPY:
        return drifts
    try:
        document = read_route(backend.keyvalues, environment).document
    except EdgeError as error:
        return [*drifts, Drift("no-answer", error.message, DOCTOR)]
    if document and document.release:
        known = Release.objects.complete().filter(name=document.release).exists()
        push = f"manage.py push --to {environment} --yes"
        command = serve_command(document.release, environment) if known else push
        message = f"routing documents name {document.release}, history says nothing"
        drifts.append(Drift("route", message, command))
    return drifts
