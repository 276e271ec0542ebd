"""Sending invalidations, and counting what they cost.

Each distribution gets the paths its own patterns route, in requests of at most 3,000 paths, 15 of
them wildcards, each as soon as there is room for it. The reference is made of the deployment, the
step and the paths: sent again after an interruption it is the same request, done once and counted
once.

CloudFront drops 3,000 paths of a distribution at a time, 15 of them wildcards, and takes no more
until some of them are done. It is asked about those in progress only where our own requests could
fill it; where other requests do, it says so itself. Source: the developer guide, "Quotas on
invalidations".
"""

import hashlib
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, timedelta

from django.conf import settings
from django.db.models import Sum
from django.utils import timezone

from deployments.context import DeployContext
from deployments.invalidation.fold import batches, bill, fold
from deployments.models import Deployment, Environment, Invalidation
from edge import limits
from edge.errors import BackendUnavailable, InvalidationsInProgress
from edge.limits import INVALIDATION_WILDCARDS, count_wildcards
from edge.protocols import Distribution

PAUSE_SECONDS = 5.0
# Most invalidations take a minute or two. Looking for one that is done costs a request.
LATELY = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class CachePaths:
    """What each distribution of an environment is asked to drop, by its id."""

    environment: Environment
    entries: Mapping[str, Sequence[str]]

    @property
    def paths(self) -> int:
        """How many paths are paid for."""
        return sum(len(entries) for entries in self.entries.values())

    @property
    def wildcards(self) -> int:
        """The most wildcards one distribution gets."""
        return max((count_wildcards(entries) for entries in self.entries.values()), default=0)

    def lines(self) -> Iterator[str]:
        """Name for people what is dropped where."""
        for distribution, entries in self.entries.items():
            yield f"{distribution}: {' '.join(entries[:SHOWN])}" + (
                f" and {len(entries) - SHOWN} more" if len(entries) > SHOWN else ""
            )


SHOWN = 10


def plan_paths(
    environment: Environment,
    wanted: Iterable[str],
    *,
    unchanged: Iterable[str] = (),
    wildcards: int = INVALIDATION_WILDCARDS,
) -> CachePaths:
    """Fold URL paths for every distribution of an environment that routes them."""
    wanted, unchanged = set(wanted), set(unchanged)
    folded = {
        distribution: fold(wanted, unchanged=unchanged, patterns=patterns, wildcards=wildcards)
        for distribution, patterns in environment.caches.items()
    }
    return CachePaths(environment, {name: entries for name, entries in folded.items() if entries})


def invalidate(
    context: DeployContext,
    drops: CachePaths,
    *,
    step: str,
    actor: str,
    deployment: Deployment | None = None,
) -> int:
    """Ask the distributions to drop paths; tell how many. What was sent before a failure stands.

    Raises EdgeError, ChangedMeanwhile.
    """
    for distribution, entries in drops.entries.items():
        for number, batch in enumerate(batches(entries), start=1):
            reference = f"{step}-{number}-{_digest(batch)}"
            ask(context, distribution, batch, reference=reference)
            Invalidation.objects.get_or_create(
                distribution=distribution,
                reference=reference,
                defaults={
                    "environment": drops.environment,
                    "deployment": deployment,
                    "paths": len(batch),
                    "actor": actor,
                },
            )
    return drops.paths


def cost_of(paths: int) -> str:
    """Say what paths cost now: `12 paths, $0.00 of 1,000 free (30 used this month)`."""
    used = used_this_month()
    return f"{bill(paths, used=used)} ({used:,} used this month)"


def used_this_month() -> int:
    """Count the paths this installation had dropped since the month began (UTC)."""
    now = timezone.now().astimezone(UTC)
    begin = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return Invalidation.objects.filter(at__gte=begin).aggregate(n=Sum("paths"))["n"] or 0


def _digest(entries: Sequence[str]) -> str:
    return hashlib.sha256("\n".join(entries).encode()).hexdigest()[:8]


def ask(context: DeployContext, distribution: str, paths: Sequence[str], *, reference: str) -> None:
    """Have paths dropped, as soon as the distribution has room. The lock is kept meanwhile.

    Raises InvalidationsInProgress when it has none after EDGE_INVALIDATION_SECONDS, EdgeError,
    ChangedMeanwhile when the lock was lost.
    """
    until, told = time.monotonic() + settings.EDGE_INVALIDATION_SECONDS, False
    looks = _may_be_full(distribution, paths, reference)
    while True:
        try:
            if looks:
                _check_room(context.backend.distribution, distribution, paths)
            context.backend.distribution.invalidate(distribution, paths, reference=reference)
        except InvalidationsInProgress as full:
            if time.monotonic() >= until:
                raise
            if not told:
                context.say(
                    f"Wait, at most {settings.EDGE_INVALIDATION_SECONDS:.0f} s: {full.message}"
                )
        else:
            return
        looks = told = True
        context.keep_lock()
        time.sleep(PAUSE_SECONDS)


def _may_be_full(distribution: str, paths: Sequence[str], reference: str) -> bool:
    """Tell whether what we asked for lately could leave no room."""
    asked = Invalidation.objects.filter(distribution=distribution)
    if asked.filter(reference=reference).exists():
        return False  # sent again it is the same request, which is in progress or done
    lately = asked.filter(at__gte=timezone.now() - LATELY)
    before: int = lately.aggregate(paths=Sum("paths"))["paths"] or 0
    wildcards = limits.count_wildcards(paths)
    # How many of those before are wildcards is not kept: perhaps all.
    return before + len(paths) > limits.INVALIDATION_PATHS or (
        0 < wildcards > limits.INVALIDATION_WILDCARDS - before
    )


def _check_room(distributions: Distribution, distribution: str, paths: Sequence[str]) -> None:
    """Raise InvalidationsInProgress where the paths do not fit in."""
    try:
        before = distributions.in_progress(distribution)
    except BackendUnavailable:
        return  # Then CloudFront itself says whether there is room, to the request.
    if not limits.has_room(before, paths):
        noun = "path" if len(before) == 1 else "paths"
        raise InvalidationsInProgress(
            f"{distribution} is still dropping {len(before):,} {noun} and has no room for "
            f"{len(paths):,} more.",
            "Wait until it has, then run it again.",
        )
