"""Planning a run of retention: mark, wait, sweep. Reads only, so a dry run shows the plan."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from deployments import audit
from deployments.errors import Refused
from deployments.models import Release
from deployments.releases.manifest import ASSETS
from deployments.releases.store import object_sizes, read_named_manifest
from deployments.retention.needs import Policy, serving, wanted
from deployments.wording import plural
from edge.database_clock import database_now
from edge.protocols import Backend, ObjectStore


@dataclass(frozen=True, slots=True)
class Size:
    """A number of objects, and their bytes."""

    files: int = 0
    bytes: int = 0

    @classmethod
    def of(cls, sizes: Iterable[int]) -> "Size":
        found = list(sizes)
        return cls(len(found), sum(found))

    def __add__(self, other: "Size") -> "Size":
        return Size(self.files + other.files, self.bytes + other.bytes)

    def __str__(self) -> str:
        return f"{plural(self.files, 'file')}, {plural(self.bytes, 'byte')}"

    def as_json(self) -> dict[str, int]:
        return {"files": self.files, "bytes": self.bytes}


@dataclass(frozen=True, slots=True)
class PrunePlan:
    """What a run would do with each release.

    `kept`: reasons by name. `unmarks` are marked and needed again. `waits` are marked and due at
    the time given. `sweeps` are removed, with the size of the objects below their names. `assets`
    is the size of the shared assets that no release refers to after that; None if `assets_stay`
    says why they are left alone.
    """

    kept: dict[str, str]
    marks: list[Release]
    unmarks: list[Release]
    waits: dict[Release, datetime]
    sweeps: dict[Release, Size]
    assets: Size | None
    assets_stay: str

    @property
    def total(self) -> Size:
        """The size of everything a sweep would remove."""
        return sum(self.sweeps.values(), self.assets or Size())

    def as_json(self) -> dict[str, Any]:
        """Return the plan for --json."""
        return {
            "kept": self.kept,
            "marked": [one.name for one in self.marks],
            "lifted": [one.name for one in self.unmarks],
            "waiting": {one.name: until.isoformat() for one, until in self.waits.items()},
        }


def plan_prune(backend: Backend) -> PrunePlan:
    """Decide what happens to each release. Raises Refused, EdgeError."""
    policy, objects = Policy.from_settings(), backend.objects
    _check_history_is_whole(objects)
    serves = serving(backend)
    kept = {**wanted(policy), **serves}
    unneeded = [one for one in Release.objects.present() if one.name not in kept]
    due = {one: one.marked_at + policy.wait for one in unneeded if one.marked_at}
    now = database_now()
    sweeps = [one for one, moment in due.items() if moment <= now]
    sweeps += [one for one in _interrupted() if one.name not in serves]
    unreferenced, why_not = (
        find_unreferenced(backend, without=sweeps) if sweeps else ({}, "nothing is swept")
    )
    return PrunePlan(
        kept=kept,
        marks=[one for one in unneeded if one.marked_at is None],
        unmarks=list(Release.objects.present().filter(name__in=kept, marked_at__isnull=False)),
        waits={one: moment for one, moment in due.items() if one not in sweeps},
        sweeps={one: Size.of(object_sizes(objects, one.key("")).values()) for one in sweeps},
        assets=None if why_not else Size.of(unreferenced.values()),
        assets_stay=why_not,
    )


def find_unreferenced(
    backend: Backend, *, without: Iterable[Release] = ()
) -> tuple[dict[str, int], str]:
    """Return the shared assets no release refers to, sizes by key, or why they cannot be known.

    `without` are releases that are about to be removed. In doubt, all assets are kept.
    """
    objects = backend.objects
    if Release.objects.underway().exists():
        return {}, "a push is running, or one of the last day did not finish"
    gone = {one.name for one in without}
    names = {one.name for one in Release.objects.complete()} - gone
    referenced: set[str] = set()
    for name in sorted(names | set(serving(backend))):
        try:
            manifest = read_named_manifest(objects, name)
        except Refused:
            return {}, f"the manifest of {name} cannot be read; run: manage.py verify"
        referenced |= {artifact.shared_key for artifact in manifest if artifact.shared}
    found = object_sizes(objects, ASSETS)
    return {key: size for key, size in found.items() if key not in referenced}, ""


def _interrupted() -> list[Release]:
    """Return the releases whose removal was begun and not finished."""
    return list(Release.objects.filter(removed_at__isnull=False, marked_at__isnull=False))


def _check_history_is_whole(objects: ObjectStore) -> None:
    """Refuse to remove anything while the store has releases that the history does not know.

    They may be in use, and so may their shared assets. Raises Refused (`history-behind`).
    """
    stored = {one.key for one in objects.list(audit.release_key("").removesuffix(".json"))}
    known = {audit.release_key(name) for name in Release.objects.values_list("name", flat=True)}
    unknown = sorted(stored - known)
    if unknown:
        raise Refused(
            "history-behind",
            f"The store has {plural(len(unknown), 'release')} that the history does not know, "
            f"first {unknown[0]}. Another database uses the store, or this one is an old copy.",
            "Rebuild the history from the store: docs/how-to/rebuild-the-history.md",
        )
