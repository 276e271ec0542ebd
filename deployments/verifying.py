"""Verifying: all that a switch leaves out. Every object, key and host against the history."""

import hashlib
from collections.abc import Iterator
from typing import Any

from django.utils import timezone

from deployments import drift, error_page
from deployments.artifacts import ASSETS, ERROR_PAGE, MANIFEST, Artifact
from deployments.copy_plans import kept_release, plan_copies
from deployments.drift import Check, Drift, Look, found, route_faults
from deployments.errors import Refused
from deployments.locking import is_stale
from deployments.manifests import Manifest
from deployments.models import DeployLock, Deployment, Environment, Release, Strategy
from deployments.plans import Target
from deployments.probing import answers
from deployments.promotion import served_in_order
from deployments.stored import is_as_pushed, listed
from deployments.undeployed import drift_of_nothing
from edge.errors import ObjectMissing
from edge.protocols import Backend

# What it was made of is not known here: the checkout it was built of, or the folder.
PUSH_AGAIN = "manage.py push --no-deploy --mend"


def verify(backend: Backend, environment: Environment) -> dict[str, Any]:
    """Compare database, routing documents, objects and answers of one environment."""
    live = environment.live
    previous = previous_release(environment)
    look = Look(backend, environment, live) if live else None
    findings = found(look, CHECKS) if look else drift_of_nothing(backend, environment)
    return {
        "environment": environment.name,
        "strategy": environment.strategy,
        "release": live.release.name if live else None,
        "previous": previous.name if previous else None,
        "drift": [
            {"code": one.code, "message": one.message, "command": one.command} for one in findings
        ],
    }


def previous_release(environment: Environment) -> Release | None:
    """Find what a rollback without a name would go to."""
    past = served_in_order(environment)
    return past[-2].release if len(past) > 1 else None


def _every_key(look: Look) -> Iterator[Drift]:
    """Does every routing key hold the document, and no other one?"""
    for fault in route_faults(look):
        yield Drift("route", fault, look.mend)


def _every_host(look: Look) -> Iterator[Drift]:
    """Does every host answer with the release?"""
    for host in look.hosts:
        wrong = answers(look.backend.viewer, look.probe(host))
        for fault in wrong.values():
            yield Drift("answer", f"{host}: {fault}", look.mend)


def _releases(look: Look) -> Iterator[Drift]:
    """Is every object of the live and of the previous release there, and of a canary's?"""
    previous, canary = previous_release(look.environment), look.environment.canary
    kept = kept_release(look.environment, look.live.release)
    tried = canary.release if canary else None
    for release in dict.fromkeys(filter(None, (look.live.release, tried, previous, kept))):
        yield from _release(look, release)


def _release(look: Look, release: Release) -> Iterator[Drift]:
    key = release.key(MANIFEST)
    try:
        body = look.backend.objects.get(key).body
    except ObjectMissing:
        yield Drift("manifest", f"{key} is missing", PUSH_AGAIN)
        return
    if hashlib.sha256(body).hexdigest() != release.digest:
        yield Drift("manifest", f"{key} is not what was pushed", PUSH_AGAIN)
        return
    manifest = Manifest.from_json(body)
    sizes = listed(look.backend.objects, release.key("")) | listed(look.backend.objects, ASSETS)
    keys = {artifact.key(release.name): artifact.size for artifact in manifest}
    wrong = [key for key, size in keys.items() if sizes.get(key) != size]
    if wrong:
        message = (
            f"{len(wrong)} of {len(keys)} files of {release} are missing or cut short, first "
            f"{wrong[0]}; where its content still is"
        )
        yield Drift("objects", message, PUSH_AGAIN)
    there = [a for a in manifest if sizes.get(a.key(release.name)) == a.size]
    yield from _overwritten(look, release, there)


def _overwritten(look: Look, release: Release, there: list[Artifact]) -> Iterator[Drift]:
    """Is a page something else than what was pushed, though as long?"""
    pages = {page["path"] for page in release.pages.values()}
    for artifact in there:
        if artifact.path in pages and not is_as_pushed(look.backend.objects, release, artifact):
            key = artifact.key(release.name)
            message = f"{key} was written over; where the release's content still is"
            yield Drift("objects", message, PUSH_AGAIN)


def _copies(look: Look) -> Iterator[Drift]:
    """By copy: does every key hold what it shall hold, and no other key anything?"""
    if look.environment.strategy != Strategy.COPY:
        return
    live = look.live
    target = Target(look.environment, live.release, live.function, Deployment.Kind.PROMOTE, "", "")
    try:
        changes = plan_copies(look.backend, target).changes
    except Refused:
        return  # files of the release are gone, and were named already
    for what, paths in (
        ("missing or not the release's", [artifact.path for artifact in changes.copies]),
        ("no file of the release", list(changes.deletions)),
    ):
        if paths:
            first = look.environment.copy_prefix + paths[0]
            yield Drift("copies", f"{len(paths)} keys are {what}, first {first}", look.mend)


def _lock(look: Look) -> Iterator[Drift]:
    """Is a deployment at work, or did one leave its lock?"""
    for lock in DeployLock.objects.filter(environment=look.environment):
        seconds = int((timezone.now() - lock.acquired_at).total_seconds())
        message = f"locked by {lock.holder} for {seconds} s ({lock.reason})"
        if is_stale(lock):
            yield Drift("lock", f"{message}, and nobody is at work", look.mend)
        else:
            again = f"manage.py verify --environment {look.environment}"
            yield Drift("lock", f"{message}; wait until it is done", again)


def _error_page(look: Look) -> Iterator[Drift]:
    """Is the error page the one of the environment that it follows?"""
    if look.environment.strategy == Strategy.COPY or not look.environment.protected:
        return
    objects = look.backend.objects
    stored = objects.head(error_page.KEY)
    wanted = objects.head(look.live.release.key(ERROR_PAGE))
    if stored and wanted and not error_page.is_same(stored, wanted):
        message = f"{error_page.KEY} is not the one of {look.live.release}"
        yield Drift("error-page", message, look.mend)


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
