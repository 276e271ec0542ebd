"""Which releases retention keeps, and why. Reads only.

There are two kinds of reasons. A release that serves viewers, according to the history or to the
routing documents, is always kept. The rest is policy: releases that were live recently, are new or
pinned, or are being pushed.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings

from deployments.deploy.strategies import strategy_of
from deployments.errors import Refused
from deployments.live_history import live_since, replaced_release, rollback_release
from deployments.models import BranchPreview, Deployment, Environment, Release
from edge.database_clock import database_now
from edge.protocols import Backend, KeyValueStore
from edge.routing import RoutingDocument

# A deployment or a push uses a release within this time of looking it up.
LEAST_WAIT_HOURS = 1
MOST_DAYS = 36_500  # a hundred years; much more leaves the calendar
MOST_NEWEST = 1_000_000
Need = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Policy:
    """What is kept besides the releases that serve, and how long a marked release waits."""

    keep: timedelta
    newest: int
    wait: timedelta

    @classmethod
    def from_settings(cls) -> "Policy":
        """Read the settings. Raises Refused if they could remove releases in use."""
        days, newest = settings.PRUNE_KEEP_DAYS, settings.PRUNE_KEEP_NEWEST
        hours = settings.PRUNE_WAIT_HOURS
        _check("PRUNE_KEEP_DAYS", days, 0, MOST_DAYS)
        _check("PRUNE_KEEP_NEWEST", newest, 0, MOST_NEWEST)
        _check("PRUNE_WAIT_HOURS", hours, LEAST_WAIT_HOURS, 24 * MOST_DAYS)
        return cls(timedelta(days=days), newest, timedelta(hours=hours))


def _check(name: str, found: int, least: int, most: int) -> None:
    if not least <= found <= most:
        raise Refused(
            "prune-settings",
            f"{name} is {found}; expected {least} to {most}.",
            "Correct the setting: docs/reference/settings.md",
        )


def serving(backend: Backend) -> dict[str, str]:
    """Return how each release that serves viewers does so, by its name. Raises EdgeError."""
    return _first_reasons([*_by_history(), *_by_routes(backend.keyvalues)])


def wanted(policy: Policy) -> dict[str, str]:
    """Return why the policy keeps further releases, by their names."""
    return _first_reasons(
        [
            *((one.name, "pinned") for one in Release.objects.present().filter(pinned=True)),
            *((one.name, "being pushed") for one in Release.objects.underway()),
            *_live_recently(policy),
            *(
                (one.name, f"one of the newest {policy.newest}")
                for one in Release.objects.complete()[: policy.newest]
            ),
        ]
    )


def _first_reasons(needs: Iterable[Need]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, reason in needs:
        found.setdefault(name, reason)
    return found


def _by_history() -> Iterator[Need]:
    for environment in Environment.objects.all():
        yield from _of_environment(environment)
    for deployment in Deployment.objects.unfinished().select_related("release", "environment"):
        yield deployment.release.name, f"being deployed to {deployment.environment}"
    for preview in BranchPreview.objects.select_related("release"):
        yield preview.release.name, f"preview of {preview}"


def _of_environment(environment: Environment) -> Iterator[Need]:
    live, canary = environment.live, environment.canary
    if live:
        yield live.release.name, f"live in {environment}"
    if canary:
        yield canary.release.name, f"canary in {environment}"
    if earlier := rollback_release(environment):
        yield earlier.name, f"previous in {environment}"
    replaced = replaced_release(environment, live.release) if live else None
    if replaced:  # pages of it may still be open
        yield replaced.name, f"previous in {environment}"
    for deployment in strategy_of(environment).partly_deployed(environment):
        yield deployment.release.name, f"partly copied to {environment}"


def _by_routes(keyvalues: KeyValueStore) -> Iterator[Need]:
    for key, text in keyvalues.items().items():
        if key.startswith(("env:", "host:")):
            yield from _of_route(key, text)


def _of_route(key: str, text: str) -> Iterator[Need]:
    try:
        document = RoutingDocument.from_json(text)
    except (ValueError, KeyError, TypeError, AttributeError):
        return  # `verify` reports it; the history still keeps what it names
    canary = document.canary.release if document.canary else ""
    for name in filter(None, (document.release, document.previous, canary)):
        yield name, f"named by {key}"


def _live_recently(policy: Policy) -> Iterator[Need]:
    since = database_now() - policy.keep
    for environment in Environment.objects.all():
        for deployment in live_since(environment, since):
            reason = f"live in {environment} in the last {policy.keep.days} days"
            yield deployment.release.name, reason
