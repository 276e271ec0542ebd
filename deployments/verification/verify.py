"""Verifying: all that a switch leaves out. Every object, key and host against the history."""

import hashlib
from collections.abc import Iterator
from typing import Any

from django.utils import timezone

from deployments.deploy import error_page
from deployments.deploy.copy_plan import plan_copies
from deployments.deploy.plan import Target
from deployments.deploy.probe import answers
from deployments.errors import Refused
from deployments.live_history import kept_release, previous_release
from deployments.locks.lease import is_stale
from deployments.models import DeployLock, Deployment, Environment, Release, Strategy
from deployments.releases.manifest import ASSETS, ERROR_PAGE, MANIFEST, Artifact, Manifest
from deployments.releases.store import is_as_pushed, listed
from deployments.verification import drift
from deployments.verification.drift import (
    Check,
    Drift,
    Inspection,
    drift_of_nothing,
    route_faults,
    run_checks,
)
from edge.errors import ObjectMissing
from edge.protocols import Backend

# What it was made of is not known here: the checkout it was built of, or the folder.
PUSH_AGAIN = "manage.py push --no-deploy --mend"


def verify(backend: Backend, environment: Environment) -> dict[str, Any]:
    """Compare database, routing documents, objects and answers of one environment."""
    live = environment.live
    previous = previous_release(environment)
    inspection = Inspection(backend, environment, live) if live else None
    findings = (
        run_checks(inspection, CHECKS) if inspection else drift_of_nothing(backend, environment)
    )
    return {
        "environment": environment.name,
        "strategy": environment.strategy,
        "release": live.release.name if live else None,
        "previous": previous.name if previous else None,
        "drift": [
            {"code": one.code, "message": one.message, "command": one.command} for one in findings
        ],
    }


def _every_key(inspection: Inspection) -> Iterator[Drift]:
    """Does every routing key hold the document, and no other one?"""
    for fault in route_faults(inspection):
        yield Drift("route", fault, inspection.mend)


def _every_host(inspection: Inspection) -> Iterator[Drift]:
    """Does every host answer with the release?"""
    for host in inspection.hosts:
        wrong = answers(inspection.backend.viewer, inspection.probe(host))
        for fault in wrong.values():
            yield Drift("answer", f"{host}: {fault}", inspection.mend)


def _releases(inspection: Inspection) -> Iterator[Drift]:
    """Is every object of the live and of the previous release there, and of a canary's?"""
    previous, canary = previous_release(inspection.environment), inspection.environment.canary
    kept = kept_release(inspection.environment, inspection.live.release)
    tried = canary.release if canary else None
    for release in dict.fromkeys(filter(None, (inspection.live.release, tried, previous, kept))):
        yield from _release(inspection, release)


def _release(inspection: Inspection, release: Release) -> Iterator[Drift]:
    key = release.key(MANIFEST)
    try:
        body = inspection.backend.objects.get(key).body
    except ObjectMissing:
        yield Drift("manifest", f"{key} is missing", PUSH_AGAIN)
        return
    if hashlib.sha256(body).hexdigest() != release.digest:
        yield Drift("manifest", f"{key} is not what was pushed", PUSH_AGAIN)
        return
    manifest = Manifest.from_json(body)
    sizes = listed(inspection.backend.objects, release.key("")) | listed(
        inspection.backend.objects, ASSETS
    )
    keys = {artifact.key(release.name): artifact.size for artifact in manifest}
    wrong = [key for key, size in keys.items() if sizes.get(key) != size]
    if wrong:
        message = (
            f"{len(wrong)} of {len(keys)} files of {release} are missing or cut short, first "
            f"{wrong[0]}; where its content still is"
        )
        yield Drift("objects", message, PUSH_AGAIN)
    there = [a for a in manifest if sizes.get(a.key(release.name)) == a.size]
    yield from _overwritten(inspection, release, there)


def _overwritten(
    inspection: Inspection, release: Release, there: list[Artifact]
) -> Iterator[Drift]:
    """Is a page something else than what was pushed, though as long?"""
    pages = {page["path"] for page in release.pages.values()}
    for artifact in there:
        if artifact.path in pages and not is_as_pushed(
            inspection.backend.objects, release, artifact
        ):
            key = artifact.key(release.name)
            message = f"{key} was written over; where the release's content still is"
            yield Drift("objects", message, PUSH_AGAIN)


def _copies(inspection: Inspection) -> Iterator[Drift]:
    """By copy: does every key hold what it shall hold, and no other key anything?"""
    if inspection.environment.strategy != Strategy.COPY:
        return
    live = inspection.live
    target = Target(
        inspection.environment, live.release, live.function, Deployment.Kind.PROMOTE, "", ""
    )
    try:
        changes = plan_copies(inspection.backend, target).changes
    except Refused:
        return  # files of the release are gone, and were named already
    for what, paths in (
        ("missing or not the release's", [artifact.path for artifact in changes.copies]),
        ("no file of the release", list(changes.deletions)),
    ):
        if paths:
            first = inspection.environment.copy_prefix + paths[0]
            yield Drift("copies", f"{len(paths)} keys are {what}, first {first}", inspection.mend)


def _lock(inspection: Inspection) -> Iterator[Drift]:
    """Is a deployment at work, or did one leave its lock?"""
    for lock in DeployLock.objects.filter(environment=inspection.environment):
        seconds = int((timezone.now() - lock.acquired_at).total_seconds())
        message = f"locked by {lock.holder} for {seconds} s ({lock.reason})"
        if is_stale(lock):
            yield Drift("lock", f"{message}, and nobody is at work", inspection.mend)
        else:
            again = f"manage.py verify --environment {inspection.environment}"
            yield Drift("lock", f"{message}; wait until it is done", again)


def _error_page(inspection: Inspection) -> Iterator[Drift]:
    """Is the error page the one of the environment that it follows?"""
    if inspection.environment.strategy == Strategy.COPY or not inspection.environment.protected:
        return
    objects = inspection.backend.objects
    stored = objects.head(error_page.KEY)
    wanted = objects.head(inspection.live.release.key(ERROR_PAGE))
    if stored and wanted and not error_page.is_same(stored, wanted):
        message = f"{error_page.KEY} is not the one of {inspection.live.release}"
        yield Drift("error-page", message, inspection.mend)


CHECKS: tuple[Check, ...] = (
    drift.reachable,
    _lock,
    drift.unfinished,
    _every_key,
    drift.canary,
    drift.maintenance,
    drift.origin,
    drift.function,
    _releases,
    _copies,
    drift.error_page_there,
    _error_page,
    _every_host,
)
