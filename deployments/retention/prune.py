"""Retention: marks what nothing needs, waits, and sweeps what is marked still.

Order of a sweep, and what a kill at each point leaves behind:
  removed        nobody can deploy or push it any more; the next run goes on
  audit object   the same
  manifest       the release does not exist any more
  documents      the same
  shared assets  those no kept release refers to; the next run finds them again
  mark           none: the release is gone
So whatever is killed, a release is either whole or removed. Deployments and pushes take the mark
away (`Release.objects.take`), and only what is marked as it was is removed; pushes and the removal
of shared assets see each other (deployments/locks/asset_sweep.py).
"""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice

from django.db.models import Q
from django.utils import timezone

from deployments import audit
from deployments.errors import ChangedMeanwhile, PartlyChanged
from deployments.locks import asset_sweep
from deployments.models import AssetSweep, Release
from deployments.releases.manifest import MANIFEST
from deployments.releases.store import listed
from deployments.retention.plan import PrunePlan, Size, find_unreferenced
from deployments.wording import reason_of
from edge.errors import EdgeError
from edge.protocols import Backend

AT_ONCE = 500
Say = Callable[[str], None]


@dataclass(slots=True)
class Pruned:
    """What was done: sizes by release, shared assets; `left` says what the next run has to do."""

    swept: dict[str, Size] = field(default_factory=dict)
    assets: Size = field(default_factory=Size)
    left: str = ""

    @property
    def total(self) -> Size:
        return sum(self.swept.values(), self.assets)


@dataclass(frozen=True, slots=True)
class Pruning:
    """A run underway: the back end, who, whom to tell, and when to stop (monotonic seconds)."""

    backend: Backend
    actor: str
    say: Say
    ends: float = float("inf")

    @property
    def is_over(self) -> bool:
        return time.monotonic() > self.ends


def prune(run: Pruning, plan: PrunePlan) -> Pruned:
    """Carry a plan out; where that ends early, the next run goes on.

    Raises PartlyChanged when the store fails or somebody interrupts it.
    """
    _mark(plan)
    done = Pruned()
    try:
        _sweep(run, plan, done)
    except (EdgeError, KeyboardInterrupt) as error:
        raise PartlyChanged(
            "prune-unfinished",
            f"Removing releases did not finish: {reason_of(error)}.",
            "What is kept is whole. Run: manage.py prune --yes",
        ) from error
    return done


def _mark(plan: PrunePlan) -> None:
    """Mark what nothing needs; take the mark from what is needed again."""
    rows = Release.objects.present()
    rows.filter(pk__in=[one.pk for one in plan.marks], marked_at=None).update(
        marked_at=timezone.now()
    )
    rows.filter(pk__in=[one.pk for one in plan.lifts]).update(marked_at=None)


def _sweep(run: Pruning, plan: PrunePlan, done: Pruned) -> None:
    gone = []
    for release in plan.sweeps:
        if run.is_over:
            done.left = "time is up"
            return
        if _remove(release):
            run.say(f"Remove {release}")
            done.swept[release.name] = _sweep_documents(run, release)
            gone.append(release)
        else:
            run.say(f"Keep {release}: somebody uses it again")
    if gone:
        done.left = _sweep_assets(run, done)
    if not done.left:
        ended = Q(pk__in=[one.pk for one in gone], removed_at__isnull=False)
        Release.objects.filter(ended).update(marked_at=None)


def _remove(release: Release) -> bool:
    """Remove a release from what can be used; tells whether nobody came first."""
    if release.removed_at:
        return True
    marked = Release.objects.present().filter(pk=release.pk, marked_at=release.marked_at)
    return bool(marked.update(removed_at=timezone.now()))


def _sweep_documents(run: Pruning, release: Release) -> Size:
    """Remove the manifest, then all that lies below the release's name."""
    objects = run.backend.objects
    release.refresh_from_db()
    sizes = listed(objects, release.key(""))
    audit.write_release(objects, release)
    objects.delete([release.key(MANIFEST)])
    for keys in _batches(sizes):
        objects.delete(keys)
    return Size.of(sizes.values())


def _sweep_assets(run: Pruning, done: Pruned) -> str:
    """Remove shared assets no release refers to; tell what keeps the rest from being removed."""
    try:
        with asset_sweep.sweep_lock(holder=run.actor) as sweep:
            return _remove_assets(run, sweep, done)
    except ChangedMeanwhile as error:
        return f"shared assets stay for now: {error.message}"


def _remove_assets(run: Pruning, sweep: AssetSweep, done: Pruned) -> str:
    """Remove batch by batch, and stop for whoever pushes; tell what is left, if anything."""
    known = _complete()
    unreferenced, why_not = find_unreferenced(run.backend)
    if why_not:
        return f"shared assets stay for now: {why_not}"
    for keys in _batches(unreferenced):
        asset_sweep.renew(sweep)
        if run.is_over or Release.objects.underway().exists() or _complete() != known:
            return "shared assets are left: time is up, or somebody pushes"
        run.say(f"Remove {len(keys)} shared assets")
        run.backend.objects.delete(keys)
        done.assets += Size.of(unreferenced[key] for key in keys)
    return ""


def _batches(keys: Iterable[str]) -> Iterator[list[str]]:
    iterator = iter(keys)
    while batch := list(islice(iterator, AT_ONCE)):
        yield batch


def _complete() -> set[int]:
    return set(Release.objects.complete().values_list("pk", flat=True))
