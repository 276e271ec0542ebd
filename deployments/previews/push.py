"""Pushing a branch: a release at the branch's own address. No environment changes."""

from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from django.db import IntegrityError, transaction

from deployments.context import Caller
from deployments.errors import ChangedMeanwhile
from deployments.models import BranchPreview, Environment, Release
from deployments.previews.limits import PreviewLimits
from deployments.previews.remove import expire_previews, settle_or_name_repair
from deployments.previews.slugs import check_branch, slug_for
from deployments.push import Progress, no_progress, push
from deployments.releases.provenance import UNKNOWN, Provenance
from deployments.releases.upload_plan import ReleasePlan
from deployments.routing import functions
from deployments.routing.preview_hosts import preview_url
from deployments.routing.sites import check_function_reads
from edge.database_clock import database_now
from edge.protocols import Backend

ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class PushedPreview:
    """What a branch shows now, and where.

    `release` is None in a dry run that would make a new one.
    """

    release: Release | None
    url: str
    slug: str
    plan: ReleasePlan


def push_preview(
    backend: Backend,
    environment: Environment,
    *,
    branch: str,
    caller: Caller,
    source: Path | None,
    message: str = "",
    provenance: Provenance = UNKNOWN,
    repair: bool = False,
    dry_run: bool = False,
    progress: Progress = no_progress,
) -> PushedPreview:
    """Make a release of a folder, a ZIP or the surfaces, and show it at the branch's address.

    The preview has the edge function and the protection of the environment, which stays as it is.
    Raises Refused (nothing changed), ChangedMeanwhile, PartlyChanged.
    """
    _check(environment, branch)
    pushed = push(
        backend,
        environment,
        caller=caller,
        source=source,
        message=message,
        provenance=replace(provenance, branch=branch),
        deploys=False,
        repair=repair,
        dry_run=dry_run,
        progress=progress,
    )
    if dry_run or pushed.release is None:
        slug = slug_for(branch)
        return PushedPreview(pushed.release, preview_url(backend, slug), slug, pushed.plan)
    _check_function(backend, environment, pushed.release)
    preview = _record(environment, branch, pushed.release, provenance.commit, caller.actor)
    url = preview_url(backend, preview.slug)
    caller.say(f"Show {preview.release} at {url}")
    settle_or_name_repair(backend, [preview.slug])
    expire_previews(backend, caller)
    return PushedPreview(pushed.release, url, preview.slug, pushed.plan)


def _check(environment: Environment, branch: str) -> None:
    """Refuse what cannot become a preview, before anything is uploaded. Raises Refused."""
    check_branch(branch)
    PreviewLimits.from_settings()
    environment.check_runs_function(
        "can show a branch", "Name an environment with the pointer strategy: add --to NAME."
    )


def _check_function(backend: Backend, environment: Environment, release: Release) -> None:
    """Refuse a site that the environment's function cannot serve. Raises Refused."""
    published = functions.live(backend, environment)
    if published:
        check_function_reads(published.source, release, environment)


def _record(
    environment: Environment, branch: str, release: Release, commit: str, actor: str
) -> BranchPreview:
    """Record what a branch shows. Raises Refused if retention removed the release first."""
    shows = {
        "environment": environment,
        "release": release,
        "commit": commit,
        "actor": actor[:150],
        "pushed_at": database_now(),
    }
    for _ in range(ATTEMPTS):
        with suppress(IntegrityError), transaction.atomic():  # another push may be faster
            if not Release.objects.take(release):
                raise release.gone
            preview, _ = BranchPreview.objects.update_or_create(
                branch=branch, defaults=shows, create_defaults={"slug": slug_for(branch), **shows}
            )
            return preview
    raise ChangedMeanwhile(
        "preview-changed",
        f"Other pushes took the addresses that {branch} could have.",
        "Push again.",
    )
