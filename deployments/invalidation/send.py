"""Sends invalidations, waits for them where necessary, and counts their cost.

Each distribution gets the paths that its patterns route, in requests within the back end's limits.
A reference consists of the deployment, the step and a digest of the paths, so a request that is
repeated after an interruption is carried out and counted once.

A distribution accepts only so many paths until earlier ones are done (CloudFront's developer guide,
"Quotas on invalidations"). The paths in progress are read only if our own recent requests could
exceed that limit. If requests of others do, the back end refuses the next one.
"""

import hashlib
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, timedelta
from decimal import ROUND_UP, Decimal

from django.conf import settings
from django.db.models import Sum
from django.db.models.functions import Now

from deployments.context import DeployContext
from deployments.invalidation.fold import fold
from deployments.models import Deployment, Environment, Invalidation
from deployments.wording import plural
from edge.database_clock import database_now
from edge.errors import BackendUnavailable, InvalidationsInProgress
from edge.limits import count_wildcards
from edge.pricing import Pricing
from edge.protocols import Backend

PAUSE_SECONDS = 5.0
# Invalidations take a minute or two; after this time they are certainly done.
RECENT = timedelta(hours=1)
PATHS_SHOWN = 10
CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class CachePaths:
    """The paths that each distribution of an environment drops, by its id."""

    environment: Environment
    entries: Mapping[str, Sequence[str]]

    @property
    def paths(self) -> int:
        """The number of paths to pay for."""
        return sum(len(entries) for entries in self.entries.values())

    @property
    def wildcards(self) -> int:
        """The largest number of wildcards for one distribution."""
        return max((count_wildcards(entries) for entries in self.entries.values()), default=0)

    def lines(self) -> Iterator[str]:
        """Iterate over lines of text, one for each distribution."""
        for distribution, entries in self.entries.items():
            more = len(entries) - PATHS_SHOWN
            shown = " ".join(entries[:PATHS_SHOWN])
            yield f"{distribution}: {shown}" + (f" and {more:,} more" if more > 0 else "")


def plan_paths(
    backend: Backend,
    environment: Environment,
    wanted: Iterable[str],
    *,
    unchanged: Iterable[str] = (),
    wildcards_used: int = 0,
) -> CachePaths:
    """Fold URL paths for each distribution of an environment that routes them.

    `wildcards_used` are wildcards of requests that may still be in progress.
    """
    wildcards = backend.limits.invalidation_wildcards - wildcards_used
    wanted, unchanged = set(wanted), set(unchanged)
    folded = {
        distribution: fold(wanted, unchanged=unchanged, patterns=patterns, wildcards=wildcards)
        for distribution, patterns in environment.caches(backend).items()
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
    """Have the distributions drop paths, and return how many. Waits for them where necessary.

    Requests that were sent before a failure are not undone. Raises EdgeError, ChangedMeanwhile.
    """
    size = context.backend.limits.invalidation_paths
    for distribution, entries in drops.entries.items():
        for number, batch in enumerate(batches(entries, size), start=1):
            reference = f"{step}-{number}-{_digest(batch)}"
            _send(context, distribution, batch, reference=reference)
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


def batches(entries: Sequence[str], size: int) -> list[list[str]]:
    """Split paths into lists of at most `size`."""
    return [list(entries[start : start + size]) for start in range(0, len(entries), size)]


def cost_of(pricing: Pricing, paths: int) -> str:
    """Return the cost of paths as text: `12 paths, $0.00 of 1,000 free (30 used this month)`."""
    used = _used_this_month()
    dollars = pricing.price(paths, used=used).quantize(CENT, ROUND_UP)
    return (
        f"{plural(paths, 'path')}, ${dollars} of {pricing.free_paths:,} free "
        f"({used:,} used this month)"
    )


def _used_this_month() -> int:
    """Count the paths that this installation invalidated since the month began (UTC)."""
    now = database_now().astimezone(UTC)
    begin = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return Invalidation.objects.filter(at__gte=begin).aggregate(n=Sum("paths"))["n"] or 0


def _digest(entries: Sequence[str]) -> str:
    return hashlib.sha256("\n".join(entries).encode()).hexdigest()[:8]


def _send(
    context: DeployContext, distribution: str, paths: Sequence[str], *, reference: str
) -> None:
    """Send one request as soon as the distribution accepts it. The lock is kept while waiting.

    Raises InvalidationsInProgress if the distribution is still at its limit after
    EDGE_INVALIDATION_SECONDS, ChangedMeanwhile if the lock was lost, EdgeError.
    """
    backend, seconds = context.backend, settings.EDGE_INVALIDATION_SECONDS
    until, is_announced = time.monotonic() + seconds, False
    check = _may_exceed_limit(backend, distribution, paths, reference)
    while True:
        try:
            if check:
                _check_in_progress(backend, distribution, paths)
            backend.distribution.invalidate(distribution, paths, reference=reference)
        except InvalidationsInProgress as full:
            if time.monotonic() >= until:
                raise
            if not is_announced:
                context.say(f"Waiting up to {seconds:.0f} s: {full.message}")
        else:
            return
        check = is_announced = True
        context.keep_lock()
        time.sleep(PAUSE_SECONDS)


def _may_exceed_limit(
    backend: Backend, distribution: str, paths: Sequence[str], reference: str
) -> bool:
    """Whether paths exceed a limit if all recent requests of ours are still in progress."""
    requests = Invalidation.objects.filter(distribution=distribution)
    if requests.filter(reference=reference).exists():
        return False  # the same request again, which is in progress or done
    recent = requests.filter(at__gte=Now() - RECENT)
    before: int = recent.aggregate(paths=Sum("paths"))["paths"] or 0
    if before + len(paths) > backend.limits.invalidation_paths:
        return True
    wildcards = count_wildcards(paths)
    # Only the number of earlier paths is recorded; all of them may be wildcards.
    return wildcards > 0 and before + wildcards > backend.limits.invalidation_wildcards


def _check_in_progress(backend: Backend, distribution: str, paths: Sequence[str]) -> None:
    """Raise InvalidationsInProgress if paths exceed a limit together with those in progress."""
    try:
        in_progress = backend.distribution.in_progress(distribution)
    except BackendUnavailable:
        return  # then the response to the request itself shows whether it is too much
    if not backend.limits.allow_invalidation(in_progress, paths):
        raise InvalidationsInProgress(
            f"{distribution} is at its limit with {plural(len(in_progress), 'path')} in progress; "
            f"waiting to send {plural(len(paths), 'more path')}.",
            "Wait until they are done, then run it again.",
        )
