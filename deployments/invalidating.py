"""Sending invalidations, and counting what they cost.

Each distribution gets the paths its own patterns route, in requests of at most 3,000 paths, 15 of
them wildcards, each as soon as there is room for it (deployments/room.py). The reference is made of
the deployment, the step and the paths: sent again after an interruption it is the same request,
done once and counted once.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC

from django.db.models import Sum
from django.utils import timezone

from deployments.invalidation import batches, bill, fold
from deployments.models import Deployment, Environment, Invalidation
from deployments.plans import Run
from deployments.room import ask
from edge.limits import INVALIDATION_WILDCARDS, count_wildcards


@dataclass(frozen=True, slots=True)
class Drops:
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


def plan_drops(
    environment: Environment,
    wanted: Iterable[str],
    *,
    unchanged: Iterable[str] = (),
    wildcards: int = INVALIDATION_WILDCARDS,
) -> Drops:
    """Fold URL paths for every distribution of an environment that routes them."""
    wanted, unchanged = set(wanted), set(unchanged)
    folded = {
        distribution: fold(wanted, unchanged=unchanged, patterns=patterns, wildcards=wildcards)
        for distribution, patterns in environment.caches.items()
    }
    return Drops(environment, {name: entries for name, entries in folded.items() if entries})


def send(
    run: Run,
    drops: Drops,
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
            ask(run, distribution, batch, reference=reference)
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
