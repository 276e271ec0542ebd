"""Composing a release: some surfaces of what one environment has live, the others of another's.

What a release shares, its assets, is taken from both: pages refer to them by names that carry their
content, so none is in another's way.
"""

from collections.abc import Iterable

from django.conf import settings

from deployments.errors import Refused
from deployments.live_history import live_of
from deployments.models import Environment
from deployments.releases.diff import surface_of
from deployments.releases.manifest import CHECKS, Artifact, Manifest, from_bytes
from deployments.releases.smoke_checks import checks_body, read_checks
from deployments.releases.store import manifest_of
from deployments.releases.upload_plan import ReleasePlan, plan_of
from edge.protocols import ObjectStore


def plan_composed(
    objects: ObjectStore, *, surfaces: Iterable[str], source: Environment, to: Environment
) -> ReleasePlan:
    """Plan the release that has `surfaces` as live in `source`, all else as live in `to`.

    Smoke checks go with the surface whose path they look at. Raises Refused.
    """
    chosen = _known(surfaces)
    _check_begun(to, source)
    theirs, ours = live_of(source).release, live_of(to).release
    new, kept = manifest_of(objects, theirs), manifest_of(objects, ours)
    _check_pages(chosen, theirs.pages, source)
    checks = [c for c in read_checks(objects, theirs) if _surface(c.path) in chosen]
    checks += [c for c in read_checks(objects, ours) if _surface(c.path) not in chosen]
    files = [from_bytes(CHECKS, checks_body(checks))] if checks else []
    artifacts = compose(new, kept, chosen) | {file.artifact.path: file.artifact for file in files}
    manifest = Manifest.of(artifacts.values())
    return plan_of(objects=objects, manifest=manifest, files=files, sources=[ours, theirs])


def compose(new: Manifest, kept: Manifest, chosen: set[str]) -> dict[str, Artifact]:
    """Choose artifacts by path: of `new` those of the chosen surfaces, of `kept` the others."""
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
            f"No surface is called '{unknown[0]}'.",
            f"Use one of: {', '.join(settings.SURFACES)}.",
        )
    return chosen


def _check_begun(to: Environment, source: Environment) -> None:
    if to.live is None:
        raise Refused(
            "nothing-live",
            f"{to} serves no release yet, so there are no other surfaces to keep.",
            f"Promote without --only first: manage.py promote --from {source} --to {to}",
        )


def _check_pages(chosen: set[str], pages: Iterable[str], source: Environment) -> None:
    missing = sorted(chosen - set(pages))
    if missing:
        raise Refused(
            "surface-missing",
            f"What {source} has live has no page for the surface '{missing[0]}'.",
            f"Push a release with it first: manage.py push --to {source}",
        )
