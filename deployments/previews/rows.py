"""Branch previews as rows, for tables and --json, and compared with what is live."""

from datetime import timedelta
from typing import Any

from django.conf import settings

from deployments.models import BranchPreview, Release
from deployments.releases.diff import Diff, diff_releases, release_or_live
from deployments.routing.preview_hosts import preview_url
from edge.protocols import Backend

PRODUCTION = "production"


def preview_rows(backend: Backend) -> list[dict[str, Any]]:
    """Return all previews, the one pushed last first."""
    rows = BranchPreview.objects.select_related("environment", "release")
    lasts = timedelta(days=settings.PREVIEW_DAYS)
    return [
        {
            "branch": one.branch,
            "url": preview_url(backend, one.slug),
            "environment": one.environment.name,
            "release": one.release.name,
            "commit": one.commit,
            "actor": one.actor,
            "pushed_at": one.pushed_at.isoformat(),
            "ends_at": (one.pushed_at + lasts).isoformat(),
        }
        for one in rows
    ]


def preview_diff(backend: Backend, branch: str, against: str) -> tuple[Release, Release, Diff]:
    """Return the live release of an environment, a branch's, and what the branch would change.

    Raises Refused.
    """
    preview = BranchPreview.objects.of(branch)
    live = release_or_live(against)
    return live, preview.release, diff_releases(backend.objects, live, preview.release)
