"""Describing what retention would do: mark, wait, sweep. Reads only, so a dry run is a plan."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone

from deployments import audit
from deployments.errors import Refused
from deployments.models import Release
from deployments.releases.manifest import ASSETS
from deployments.releases.store import listed, read_named
from deployments.retention.needs import Policy, serving, wanted
from edge.errors import ObjectMissing
from edge.protocols import Backend, ObjectStore


@dataclass(frozen=True, slots=True)
class Size:
    """How many objects, and their bytes."""

    files: int = 0
    bytes: int = 0

    @classmethod
    def of(cls, sizes: Iterable[int]) -> "Size":
        found = list(sizes)
        return cls(len(found), sum(found))

    def __add__(self, other: "Size") -> "Size":
        return Size(self.files + other.files, self.bytes + other.bytes)

    def __str__(self) -> str:
        return f"{self.files:,} files, {self.bytes:,} bytes"

    def as_json(self) -> dict[str, int]:
        return {"files": self.files, "bytes": self.bytes}


@dataclass(frozen=True, slots=True)
class PrunePlan:
    """What a run would do, release by release.

    `kept` says why by name. `lifts` are marked and needed again. `waits` are marked and not due
    before the moment given. `sweeps` have the size of what lies below their names; `assets` is what
    no release refers to then, or None where `assets_stay` says why they are left alone.
    """

    kept: dict[str, str]
    marks: list[Release]
    lifts: list[Release]
    waits: dict[Release, datetime]
    sweeps: dict[Release, Size]
    assets: Size | None
    assets_stay: str

    @property
    def total(self) -> Size:
        """All that a sweep would remove."""
        return sum(self.sweeps.values(), self.assets or Size())

    def as_json(self) -> dict[str, Any]:
        """Give the plan for --json."""
        return {
            "kept": self.kept,
            "marked": [one.name for one in self.marks],
            "lifted": [one.name for one in self.lifts],
            "waiting": {one.name: until.isoformat() for one, until in self.waits.items()},
        }


def plan_prune(backend: Backend) -> PrunePlan:
    """Decide about every release. Raises Refused, EdgeError."""
    policy = Policy.from_settings()
    _check_history_is_whole(backend.objects)
    serves = serving(backend)
    kept = {**wanted(policy), **serves}
    unneeded = [one for one in Release.objects.present() if one.name not in kept]
    due = {one: one.marked_at + policy.wait for one in unneeded if one.marked_at}
    sweeps = [one for one, moment in due.items() if moment <= timezone.now()]
    sweeps += [one for one in _interrupted() if one.name not in serves]
    unreferenced, why_not = (
        find_unreferenced(backend, without=sweeps) if sweeps else ({}, "nothing is swept")
    )
    return PrunePlan(
        kept=kept,
        marks=[one for one in unneeded if one.marked_at is None],
        lifts=list(Release.objects.present().filter(name__in=kept, marked_at__isnull=False)),
        waits={one: moment for one, moment in due.items() if one not in sweeps},
        sweeps={one: Size.of(listed(backend.objects, one.key("")).values()) for one in sweeps},
        assets=None if why_not else Size.of(unreferenced.values()),
        assets_stay=why_not,
    )


def find_unreferenced(
    backend: Backend, *, without: Iterable[Release] = ()
) -> tuple[dict[str, int], str]:
    """Find the shared assets no release refers to: their sizes by key, or why none can be told.

    `without` are releases that are about to be removed. Whatever is in doubt is kept.
    """
    objects = backend.objects
    if Release.objects.underway().exists():
        return {}, "somebody is pushing, or a push of the last day did not finish"
    gone = {one.name for one in without}
    names = {one.name for one in Release.objects.complete()} - gone
    referenced: set[str] = set()
    for name in sorted(names | set(serving(backend))):
        try:
            manifest = read_named(objects, name)
        except (ObjectMissing, ValueError, KeyError):
            return {}, f"the manifest of {name} cannot be read: manage.py verify"
        referenced |= {artifact.path for artifact in manifest if artifact.shared}
    found = listed(objects, ASSETS)
    return {key: size for key, size in found.items() if key not in referenced}, ""


def _interrupted() -> list[Release]:
    """List the releases whose removal was begun and not ended."""
    return list(Release.objects.filter(removed_at__isnull=False, marked_at__isnull=False))


def _check_history_is_whole(objects: ObjectStore) -> None:
    """Refuse to remove anything where the store knows releases that the history does not.

    Those may be in use, and their shared assets with them. Raises Refused (`history-behind`).
    """
    told = {one.key for one in objects.list(audit.release_key("").removesuffix(".json"))}
    known = {audit.release_key(name) for name in Release.objects.values_list("name", flat=True)}
    unknown = sorted(told - known)
    if unknown:
        raise Refused(
            "history-behind",
            f"The store tells of {len(unknown)} releases that the history does not know, first "
            f"{unknown[0]}: another database uses it, or this one is a former state.",
            "Rebuild the history from the store: docs/how-to/rebuild-the-history.md",
        )
