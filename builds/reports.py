"""Builds as plain values, for commands. Reads only."""

from typing import Any

from builds.models import Build
from builds.turns import is_gone


def build_rows(limit: int) -> list[dict[str, Any]]:
    """Return the latest builds, newest first."""
    return [build_row(one) for one in Build.objects.select_related("release")[:limit]]


def build_row(build: Build) -> dict[str, Any]:
    """Return one build as plain values."""
    lasted = build.lasted
    return {
        "build": build.pk,
        "repository": build.repository,
        "branch": build.branch,
        "commit": build.commit,
        "author": build.author,
        "message": build.message,
        "state": state_of(build),
        "detail": build.detail,
        "environment": build.environment or None,
        "release": build.release.name if build.release else None,
        "url": build.url or None,
        "actor": build.actor,
        "asked_at": build.asked_at.isoformat(),
        "seconds": None if lasted is None else round(lasted.total_seconds(), 1),
    }


def log_of(number: int) -> dict[str, Any]:
    """Return a build with its log. Raises Refused."""
    build = Build.objects.numbered(number)
    return {**build_row(build), "log": build.log}


def state_of(build: Build) -> str:
    """Return a build's state; one whose process was killed is interrupted, settled or not."""
    if not build.has_ended and build.host and is_gone(build):
        return Build.State.INTERRUPTED.value
    return str(build.state)
