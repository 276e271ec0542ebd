"""Retention: marks releases that nothing needs, waits, and sweeps those that are still marked.

The steps of a sweep, and what a kill at each point leaves behind:
  removed        the release can no longer be deployed or pushed; the next run continues
  audit object   the same
  manifest       the release no longer exists
  documents      the same
  shared assets  those no kept release refers to; the next run finds them again
  mark           nothing: the release is gone
So at any time a release is either whole or removed. Deployments and pushes clear the mark
(`Release.objects.take`), and a sweep removes only releases whose mark has not changed. Pushes and
the removal of shared assets see each other (deployments/locks/asset_sweep.py).
"""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from django.db.models import Q

from deployments import audit
from deployments.errors import ChangedMeanwhile, PartlyChanged
from deployments.locks import asset_sweep
from deployments.models import AssetSweep, Release
from deployments.releases.manifest import MANIFEST
from deployments.releases.store import object_sizes
from deployments.retention.plan import PrunePlan, Size, find_unreferenced, plan_prune
from deployments.routing.sites import remove_sites
from deployments.wording import plural, reason_of
from edge.database_clock import database_now
from edge.errors import EdgeError
from edge.protocols import Backend

AT_ONCE = 500


@dataclass(slots=True)
class Pruned:
    """What was removed, sizes by release, and why something was `left` to the next run."""

    plan: PrunePlan
    swept: dict[str, Size] = field(default_factory=dict)
    assets: Size = field(default_factory=Size)
    left: str = ""

    @property
    def total(self) -> Size:
        return sum(self.swept.values(), self.assets)

    def as_json(self) -> dict[str, Any]:
        """Return plan and result for --json."""
        return {
            **self.plan.as_json(),
            "removed": [{"release": one, **size.as_json()} for one, size in self.swept.items()],
            "assets": self.assets.as_json(),
            **self.total.as_json(),
            "left": self.left,
        }


@dataclass(frozen=True, slots=True)
class PruneRun:
    """A run: its back end, who started it, its output, and when to stop (monotonic seconds)."""

    backend: Backend
    actor: str
    say: Callable[[str], None]
    ends: float = float("inf")

    @property
    def is_over(self) -> bool:
        return time.monotonic() > self.ends


def prune(
    run: PruneRun, *, show: Callable[[PrunePlan], None] = lambda plan: None, dry_run: bool = False
) -> Pruned:
    """Plan a run, show the plan, and carry it out unless it is dry. Return what it did or would do.

    Raises Refused, EdgeError (nothing was changed), PartlyChanged.
    """
    plan = plan_prune(run.backend)
    show(plan)
    if not dry_run:
        return carry_out(run, plan)
    sizes = {one.name: size for one, size in plan.sweeps.items()}
    return Pruned(plan, sizes, plan.assets or Size(), plan.assets_stay)


def carry_out(run: PruneRun, plan: PrunePlan) -> Pruned:
    """Mark and sweep as planned. A run that ends early is continued by the next one.

    Raises PartlyChanged if the store fails or the run is interrupted.
    """
    _mark(plan)
    done = Pruned(plan)
    try:
        _sweep(run, done)
    except (EdgeError, KeyboardInterrupt) as error:
        raise PartlyChanged(
            "prune-unfinished",
            f"Removing releases did not finish: {reason_of(error)}.",
            "Releases that are kept are whole. Run: manage.py prune --yes",
        ) from error
    return done


def _mark(plan: PrunePlan) -> None:
    """Mark releases that nothing needs, and clear the mark of those needed again."""
    rows = Release.objects.present()
    rows.filter(pk__in=[one.pk for one in plan.marks], marked_at=None).update(
        marked_at=database_now()
    )
    rows.filter(pk__in=[one.pk for one in plan.unmarks]).update(marked_at=None)


def _sweep(run: PruneRun, done: Pruned) -> None:
    gone = []
    for release in done.plan.sweeps:
        if run.is_over:
            done.left = "time is up"
            return
        if _remove(release):
            run.say(f"Remove {release}")
            done.swept[release.name] = _sweep_documents(run, release)
            gone.append(release)
        else:
            run.say(f"Keep {release}: it is in use again")
    remove_sites(run.backend, gone)
    if gone:
        done.left = _sweep_assets(run, done)
    if not done.left:
        ended = Q(pk__in=[one.pk for one in gone], removed_at__isnull=False)
        Release.objects.filter(ended).update(marked_at=None)


def _remove(release: Release) -> bool:
    """Record a release as removed. Return False if it was taken into use first."""
    if release.removed_at:
        return True
    marked = Release.objects.present().filter(pk=release.pk, marked_at=release.marked_at)
    return bool(marked.update(removed_at=database_now()))


def _sweep_documents(run: PruneRun, release: Release) -> Size:
    """Remove the manifest, then everything below the release's name. Return its size."""
    objects = run.backend.objects
    release.refresh_from_db()
    sizes = object_sizes(objects, release.key(""))
    audit.write_release(objects, release)
    objects.delete([release.key(MANIFEST)])
    for keys in _batches(sizes):
        objects.delete(keys)
    return Size.of(sizes.values())


def _sweep_assets(run: PruneRun, done: Pruned) -> str:
    """Remove shared assets no release refers to. Return why some are left, or an empty text."""
    try:
        with asset_sweep.sweep_lock(holder=run.actor) as sweep:
            return _remove_assets(run, sweep, done)
    except ChangedMeanwhile as error:
        return f"shared assets stay for now: {error.message}"


def _remove_assets(run: PruneRun, sweep: AssetSweep, done: Pruned) -> str:
    """Remove them in batches, and stop if a push begins. Return why some are left."""
    known = _complete()
    unreferenced, why_not = find_unreferenced(run.backend)
    if why_not:
        return f"shared assets stay for now: {why_not}"
    for keys in _batches(unreferenced):
        asset_sweep.renew(sweep)
        if run.is_over or Release.objects.underway().exists() or _complete() != known:
            return "shared assets are left: time is up, or a push has begun"
        run.say(f"Remove {plural(len(keys), 'shared asset')}")
        run.backend.objects.delete(keys)
        done.assets += Size.of(unreferenced[key] for key in keys)
    return ""


def _batches(keys: Iterable[str]) -> Iterator[list[str]]:
    iterator = iter(keys)
    while batch := list(islice(iterator, AT_ONCE)):
        yield batch


def _complete() -> set[int]:
    return set(Release.objects.complete().values_list("pk", flat=True))
