"""What retention keeps, and why. Reads only.

Two kinds of reasons. What serves viewers, by the history or by the routing documents, is kept
whatever the history says of it. The rest is policy: what was live lately, what is new, what
somebody pinned or is pushing.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from deployments.deploy.strategies import strategy_of
from deployments.errors import Refused
from deployments.live_history import live_since, replaced_release, rollback_release
from deployments.models import Deployment, Environment, Release
from edge.protocols import Backend, KeyValueStore
from edge.routing import RoutingDocument

# A deployment or a push that looks a release up uses it within this time.
LEAST_WAIT_HOURS = 1
MOST_DAYS = 36_500  # a hundred years: much more leads out of the calendar
MOST_NEWEST = 1_000_000
Need = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Policy:
    """How much is kept beyond what serves, and how long a mark waits for an objection."""

    keep: timedelta
    newest: int
    wait: timedelta

    @classmethod
    def from_settings(cls) -> "Policy":
        """Read the settings. Raises Refused for those that would remove what is in use."""
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
            f"{name} is {found}, expected {least} to {most}.",
            "Mend the setting: docs/reference/settings.md",
        )


def serving(backend: Backend) -> dict[str, str]:
    """Say which releases serve viewers, and how, by their names. Raises EdgeError."""
    return _first_reasons([*_by_history(), *_by_routes(backend.keyvalues)])


def wanted(policy: Policy) -> dict[str, str]:
    """Say which releases the policy keeps besides, and why, by their names."""
    return _first_reasons(
        [
            *((one.name, "pinned") for one in Release.objects.present().filter(pinned=True)),
            *((one.name, "being pushed") for one in Release.objects.underway()),
            *_lately(policy),
            *(
                (one.name, f"among the newest {policy.newest}")
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


def _of_environment(environment: Environment) -> Iterator[Need]:
    live, canary = environment.live, environment.canary
    if live:
        yield live.release.name, f"live in {environment}"
    if canary:
        yield canary.release.name, f"canary in {environment}"
    if earlier := rollback_release(environment):
        yield earlier.name, f"before in {environment}"
    replaced = replaced_release(environment, live.release) if live else None
    if replaced:  # pages of it may still be open
        yield replaced.name, f"before in {environment}"
    for deployment in strategy_of(environment).partly_deployed(environment):
        yield deployment.release.name, f"copied to {environment} in part"


def _by_routes(keyvalues: KeyValueStore) -> Iterator[Need]:
    for key, text in keyvalues.items().items():
        if key.startswith(("env:", "host:")):
            yield from _of_route(key, text)


def _of_route(key: str, text: str) -> Iterator[Need]:
    try:
        document = RoutingDocument.from_json(text)
    except (ValueError, KeyError, TypeError, AttributeError):
        return  # `verify` names it; what the history says is kept all the same
    canary = document.canary.release if document.canary else ""
    for name in filter(None, (document.release, document.previous, canary)):
        yield name, f"named by {key}"


def _lately(policy: Policy) -> Iterator[Need]:
    since = timezone.now() - policy.keep
    for environment in Environment.objects.all():
        for deployment in live_since(environment, since):
            reason = f"live in {environment} in the last {policy.keep.days} days"
            yield deployment.release.name, reason
