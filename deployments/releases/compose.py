"""Composing a release: some surfaces live in one environment, the other surfaces live in another.

Shared assets are taken from both: their names contain a hash of their content, so they never clash.
"""

from collections.abc import Iterable

from django.conf import settings

from deployments.errors import Refused
from deployments.live_history import live_of
from deployments.models import Environment, Release
from deployments.releases.diff import surface_of
from deployments.releases.manifest import CHECKS, Artifact, Manifest, from_bytes
from deployments.releases.smoke_checks import checks_body, read_checks
from deployments.releases.store import read_manifest
from deployments.releases.upload_plan import ReleasePlan, plan_of
from edge.protocols import ObjectStore


def plan_composed(
    objects: ObjectStore, *, surfaces: Iterable[str], source: Environment, to: Environment
) -> ReleasePlan:
    """Plan the release with `surfaces` as live in `source`, and all else as live in `to`.

    A smoke check belongs to the surface of its path. Raises Refused.
    """
    chosen = _known(surfaces)
    theirs, ours = _live_releases(source, to)
    _check_ours(theirs, ours)
    new, kept = read_manifest(objects, theirs), read_manifest(objects, ours)
    _check_pages(chosen, theirs.pages, source)
    checks = [c for c in read_checks(objects, theirs) if _surface(c.path) in chosen]
    checks += [c for c in read_checks(objects, ours) if _surface(c.path) not in chosen]
    files = [from_bytes(CHECKS, checks_body(checks))] if checks else []
    artifacts = compose(new, kept, chosen) | {file.artifact.path: file.artifact for file in files}
    manifest = Manifest.of(artifacts.values())
    return plan_of(objects=objects, manifest=manifest, files=files, sources=[ours, theirs])


def compose(new: Manifest, kept: Manifest, chosen: set[str]) -> dict[str, Artifact]:
    """Return artifacts by path: the chosen surfaces' from `new`, all others from `kept`."""
    shared = {artifact.path: artifact for artifact in (*kept, *new) if artifact.shared}
    others = {a.path: a for a in kept if not a.shared and surface_of(a.path) not in chosen}
    wanted = {a.path: a for a in new if not a.shared and surface_of(a.path) in chosen}
    found = shared | others | wanted
    found.pop(CHECKS, None)
    return found


def _surface(url: str) -> str | None:
    return surface_of(url.partition("?")[0].lstrip("/"))


def _known(surfaces: Iterable[str]) -> set[str]:
    chosen = set(surfaces)
    unknown = sorted(chosen - set(settings.SURFACES))
    if unknown:
        raise Refused(
            "surface-unknown",
            f"There is no surface '{unknown[0]}'.",
            f"Use one of: {', '.join(settings.SURFACES)}.",
        )
    return chosen


def _live_releases(source: Environment, to: Environment) -> tuple[Release, Release]:
    kept = to.live
    if kept is None:
        raise Refused(
            "nothing-live",
            f"{to} serves no release yet, so there are no other surfaces to keep.",
            f"Promote without --only first: manage.py promote --from {source} --to {to}",
        )
    return live_of(source).release, kept.release


def _check_ours(*releases: Release) -> None:
    """Refuse releases with a site document: it describes all the files of one site."""
    for release in releases:
        if release.site:
            raise Refused(
                "site-not-composable",
                f"{release} is a site of its own, and its pages belong together.",
                "Promote it whole, without --only.",
            )


def _check_pages(chosen: set[str], pages: Iterable[str], source: Environment) -> None:
    missing = sorted(chosen - set(pages))
    if missing:
        raise Refused(
            "surface-missing",
            f"The release live in {source} has no page for the surface '{missing[0]}'.",
            f"Push a release that has one first: manage.py push --to {source}",
        )
