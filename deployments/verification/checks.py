"""Which checks an environment needs, by its strategy, and how their results are collected.

`QUICK` checks are cheap enough for `status`; `THOROUGH` ones look at every object, key and host.
"""

from collections.abc import Iterator

from deployments.deploy import error_page as error_pages
from deployments.deploy.plan import serve_command
from deployments.deploy.probe import probe_once
from deployments.locks.lease import is_stale
from deployments.models import DeployLock, Environment, Release, Strategy
from deployments.routing.routes import read_route
from deployments.routing.rules import wrong_rules
from deployments.verification import copy_checks, pointer_checks
from deployments.verification.inspection import DOCTOR, Check, Drift, Inspection, run_checks
from deployments.verification.objects import releases
from deployments.wording import plural
from edge.database_clock import database_now
from edge.errors import EdgeError
from edge.protocols import Backend


def find_drift(
    backend: Backend, environment: Environment, *, thorough: bool = False
) -> list[Drift]:
    """Return how an environment differs from its history; a part without an answer counts too."""
    live = environment.live
    if live is None:
        return list(_before_first_deployment(backend, environment))
    checks = (THOROUGH if thorough else QUICK)[Strategy(environment.strategy)]
    return list(run_checks(Inspection(backend, environment, live), checks))


def reachable(inspection: Inspection) -> Iterator[Drift]:
    """Is there a host that viewers can ask?"""
    if not inspection.environment.hosts:
        command = f"manage.py provision --environment {inspection.environment}"
        yield Drift("no-host", "no host leads to the pages", command)


def first_host(inspection: Inspection) -> Iterator[Drift]:
    """Does the probed host answer with the release?"""
    if not inspection.environment.hosts:
        return
    for fault in probe_once(inspection.backend.viewer, inspection.probe()).values():
        yield Drift("answer", fault, inspection.repair)


def every_host(inspection: Inspection) -> Iterator[Drift]:
    """Does every host answer with the release?"""
    for host in inspection.hosts:
        for fault in probe_once(inspection.backend.viewer, inspection.probe(host)).values():
            yield Drift("answer", f"{host}: {fault}", inspection.repair)


def rules(inspection: Inspection) -> Iterator[Drift]:
    """Do local edges have the environment's headers, and its word on the application?"""
    environment = inspection.environment
    if wrong := sorted(wrong_rules(inspection.backend, environment)):
        message = f"{plural(len(wrong), 'rule')} of its edge are lost or wrong, first {wrong[0]}"
        yield Drift("rules", message, f"manage.py environment set {environment} --yes")


def unfinished(inspection: Inspection) -> Iterator[Drift]:
    """Was a deployment interrupted?"""
    for deployment in inspection.environment.deployments.unfinished().select_related("release"):
        # If its files have arrived in part, finishing takes less than going back.
        forward = serve_command(deployment.release, inspection.environment)
        command = inspection.repair if deployment.is_atomic else forward
        yield Drift("unfinished", f"deployment {deployment.pk} was interrupted", command)


def lock(inspection: Inspection) -> Iterator[Drift]:
    """Is a deployment in progress, or did one leave its lock?"""
    for lock in DeployLock.objects.filter(environment=inspection.environment):
        seconds = int((database_now() - lock.acquired_at).total_seconds())
        message = f"locked by {lock.holder} for {seconds} s ({lock.reason})"
        if is_stale(lock):
            yield Drift("lock", f"{message}, but its process is gone", inspection.repair)
        else:
            again = f"manage.py verify --environment {inspection.environment}"
            yield Drift("lock", f"{message}; wait until it is done", again)


def error_page(inspection: Inspection) -> Iterator[Drift]:
    """Is the error page the one of the live release, or the default one if it has none?"""
    environment, live = inspection.environment, inspection.live
    fault = error_pages.fault(inspection.backend.objects, environment, live.release)
    if fault:
        yield Drift("error-page", fault, inspection.repair)


def _before_first_deployment(backend: Backend, environment: Environment) -> Iterator[Drift]:
    """Is a first deployment unfinished, or do routing documents name an unrecorded release?"""
    for deployment in environment.deployments.unfinished().select_related("release"):
        command = serve_command(deployment.release, environment)
        yield Drift("unfinished", f"deployment {deployment.pk} was interrupted", command)
    if not environment.runs_function:
        return
    try:
        document = read_route(backend.keyvalues, environment).document
    except EdgeError as error:
        yield Drift("no-answer", error.message, DOCTOR)
        return
    if document and document.release:
        known = Release.objects.complete().filter(name=document.release).exists()
        push = f"manage.py push --to {environment} --yes"
        command = serve_command(document.release, environment) if known else push
        message = f"routing documents name {document.release}, history says nothing"
        yield Drift("route", message, command)


_POINTER_STATE = pointer_checks.canary, pointer_checks.maintenance, pointer_checks.origin
QUICK: dict[Strategy, tuple[Check, ...]] = {
    Strategy.POINTER: (
        reachable,  # first, since nothing else can be repaired without a host
        pointer_checks.routes,
        *_POINTER_STATE,
        rules,
        pointer_checks.function,
        first_host,
        unfinished,
        error_page,
    ),
    # `status` may not read the copied files (edge/provisioning/iam.py), `verify` may.
    Strategy.COPY: (
        reachable,
        copy_checks.origin,
        rules,
        first_host,
        unfinished,
        copy_checks.mixed,
    ),
}
THOROUGH: dict[Strategy, tuple[Check, ...]] = {
    Strategy.POINTER: (
        reachable,
        lock,
        unfinished,
        pointer_checks.every_route,
        *_POINTER_STATE,
        rules,
        pointer_checks.function,
        pointer_checks.site,
        releases,
        error_page,
        every_host,
    ),
    Strategy.COPY: (
        reachable,
        lock,
        unfinished,
        copy_checks.mixed,
        copy_checks.origin,
        rules,
        releases,
        copy_checks.copies,
        error_page,
        every_host,
    ),
}
