"""The content of an environment's page, read from the database alone.

So the page opens even if the back end does not answer. Drift is checked by a separate request.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta

from django.db.models.functions import Now

from deployments.admin.labels import Label, kind_of, result_of
from deployments.live_history import rollback_release
from deployments.locks.lease import is_stale
from deployments.models import (
    DeployLock,
    Deployment,
    Environment,
    Freeze,
    Maintenance,
    Operation,
    Release,
)
from deployments.operations import progress
from deployments.operations.progress import Progress

State = Operation.State
LATEST = 15
# How long the page shows an operation that failed or was interrupted.
SHOWN_FOR = timedelta(days=1)
# How many deployments are searched for rollback targets, and how many targets are offered.
LOOKED_THROUGH, OFFERED = 200, 10


@dataclass(frozen=True, slots=True)
class Entry:
    """A deployment in the timeline."""

    deployment: Deployment
    kind: str
    result: Label


@dataclass(frozen=True, slots=True)
class Source:
    """Another environment whose live release could be promoted here.

    `may_be_canary`: a canary of it is possible. `is_newer`: newer than the live release here.
    """

    environment: Environment
    live: Deployment
    may_be_canary: bool = False
    is_newer: bool = True


@dataclass(frozen=True, slots=True)
class Overview:
    """All an environment's page shows. `guards`: those on rolled-back releases."""

    live: Deployment | None
    rollback_target: Release | None
    canary: Deployment | None
    frozen: Freeze | None
    guards: list[Freeze]
    maintenance: Maintenance | None
    lock: DeployLock | None
    lock_is_stale: bool
    operations: list[Progress]
    offers: list[Source]
    timeline: list[Entry]


def overview(environment: Environment) -> Overview:
    """Read what an environment's page shows, in a bounded number of queries."""
    live = environment.live
    freezes = list(environment.freezes.in_force().select_related("release"))
    guards = [one for one in freezes if one.release is not None]
    lock = DeployLock.objects.filter(environment=environment).first()
    stale = lock is not None and is_stale(lock)
    return Overview(
        live=live,
        rollback_target=rollback_release(environment),
        canary=environment.canary,
        frozen=next((one for one in reversed(freezes) if one.release is None), None),
        guards=guards,
        maintenance=environment.maintenance,
        lock=lock,
        lock_is_stale=stale,
        operations=[progress.of(one) for one in _operations_to_see(environment)],
        offers=_offers(environment, live, guards),
        timeline=timeline(environment, underway=lock is not None and not stale),
    )


def sources(environment: Environment) -> Iterator[Source]:
    """Yield the other environments that have a live release."""
    for other in Environment.objects.exclude(pk=environment.pk):
        if other.live:
            yield Source(other, other.live)


def _offers(
    environment: Environment, live: Deployment | None, guards: list[Freeze]
) -> list[Source]:
    """Return the sources whose promotion would change something and would not be refused."""
    refused = {one.release_id for one in guards}
    found = []
    for source in sources(environment):
        theirs = source.live
        is_new = live is None or live.release_id != theirs.release_id
        if live and not is_new and live.function_id == theirs.function_id:
            continue
        if theirs.release_id not in refused:
            may_be_canary = bool(live) and is_new and environment.runs_function
            is_newer = live is None or theirs.release_id >= live.release_id
            found.append(replace(source, may_be_canary=may_be_canary, is_newer=is_newer))
    return found


def timeline(environment: Environment, *, underway: bool = False) -> list[Entry]:
    """Return the last deployments, newest first; `underway` if the lock is held."""
    latest = environment.deployments.select_related("release", "replaced", "outcome")
    return [
        Entry(one, kind_of(one), result_of(one, underway=underway))
        for one in latest.order_by("-pk")[:LATEST]
    ]


def rollback_choices(environment: Environment) -> list[Deployment]:
    """Return the latest deployment of each release to roll back to, newest first.

    During a canary these include the live release: choosing it ends the canary.
    """
    past = environment.deployments.switched().filter(release__removed_at=None)
    found: dict[int, Deployment] = {}
    for one in past.select_related("release", "outcome").order_by("-pk")[:LOOKED_THROUGH]:
        found.setdefault(one.release_id, one)
    live = environment.live
    if live and not environment.canary:
        found.pop(live.release_id, None)
    return list(found.values())[:OFFERED]


def _operations_to_see(environment: Environment) -> list[Operation]:
    """Return open operations, and a failed last one unless a deployment has succeeded since.

    Once its own page is closed, the reason of a failed operation appears nowhere else.
    """
    recent = environment.operations.filter(asked_at__gt=Now() - SHOWN_FOR)
    open_ = list(recent.filter(state__in=[State.WAITING, State.RUNNING]))
    last = recent.first()
    if last is None or last.state != State.FAILED:
        return open_
    since = environment.deployments.succeeded().filter(at__gt=last.ended_at)
    return open_ if since.exists() else [last, *open_]
