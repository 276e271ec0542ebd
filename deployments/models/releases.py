"""What can be deployed: releases and versions of the edge function."""

from datetime import timedelta
from typing import Any

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from deployments.errors import Refused
from deployments.wording import format_time
from edge.database_clock import database_now

# For this long, an unfinished push may still be running, and its uploads are left alone.
UNDERWAY = timedelta(days=1)


class ReleaseQuerySet(models.QuerySet["Release"]):
    def present(self) -> "ReleaseQuerySet":
        """Releases that were not removed, including incomplete ones."""
        return self.filter(removed_at__isnull=True)

    def complete(self) -> "ReleaseQuerySet":
        """Releases whose manifest is in the store: all others do not exist yet, or no longer."""
        return self.present().filter(completed_at__isnull=False)

    def underway(self) -> "ReleaseQuerySet":
        """Releases whose push may still be running."""
        recently_begun = Q(created_at__gt=Now() - UNDERWAY)
        return self.present().filter(recently_begun, completed_at__isnull=True)

    def take(self, release: "Release", **changes: Any) -> bool:
        """Take a release into use by clearing its mark. Return False if it was removed.

        Call it in the transaction that records the use. Retention only removes a release whose mark
        has not changed, so the later of the two finds out.
        """
        return bool(self.present().filter(pk=release.pk).update(marked_at=None, **changes))

    def named(self, name: str) -> "Release":
        """Return a complete release. Raises Refused."""
        # PostgreSQL accepts no NUL in a text, not even in a comparison.
        found = self.filter(name=name).first() if name.isprintable() else None
        if found is None or not (found.completed_at or found.removed_at):
            raise Refused(
                "release-unknown",
                f"No release is called '{name}'.",
                "List all releases with: manage.py releases",
            )
        if found.removed_at:
            raise found.gone
        return found


class Release(models.Model):
    """An immutable set of files, named by time and by the digest of its manifest.

    Removal is permanent: the same files pushed again are a new release with the same digest.

    `pages` has the artifact of each surface in the release, as in the manifest: this is what a
    switch checks and probes, so its cost does not grow with the number of files. `site` is its site
    document (edge/sites.py), empty if it needs none. `claims` are patterns of the application's
    paths that its files are at: only an environment without the application can serve it. `commit`,
    `branch` and `author` say what it was built from, if that is known; the same files of a later
    commit are the same release.

    Retention first marks a release (`marked_at`) and later removes it (`removed_at`); the mark is
    cleared when all its objects are gone.
    """

    name = models.CharField(max_length=24, unique=True)
    digest = models.CharField(max_length=64, db_index=True)
    files = models.PositiveIntegerField()
    bytes = models.PositiveBigIntegerField()
    pages = models.JSONField(default=dict)
    site = models.JSONField(default=dict, editable=False)
    claims = models.JSONField(default=list, editable=False)
    message = models.CharField(max_length=300, blank=True)
    commit = models.CharField(max_length=64, blank=True, db_index=True)
    branch = models.CharField(max_length=200, blank=True)
    author = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(default=database_now, editable=False)
    created_by = models.CharField(max_length=150)
    completed_at = models.DateTimeField(null=True, blank=True)
    pinned = models.BooleanField(default=False, help_text="Retention never removes it.")
    marked_at = models.DateTimeField(null=True, blank=True, editable=False)
    removed_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = ReleaseQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return self.name

    def key(self, path: str) -> str:
        """Return the key of one of the release's documents."""
        return f"releases/{self.name}/{path}"

    @property
    def state(self) -> str:
        """`whole`, `marked` for removal, `removed` or `unfinished`."""
        if self.removed_at:
            return "removed"
        if self.completed_at is None:
            return "unfinished"
        return "marked" if self.marked_at else "whole"

    @property
    def gone(self) -> Refused:
        """The error for a use of the release after it was removed."""
        when = format_time(self.removed_at or database_now())
        return Refused(
            "release-removed",
            f"Release {self} was removed at {when}, and its objects are gone.",
            "Push its content again as a new release, or choose another: manage.py releases",
        )


class FunctionVersion(models.Model):
    """The source of an edge function, kept because AWS keeps no history of sources."""

    digest = models.CharField(max_length=64, unique=True)
    source = models.TextField()
    created_at = models.DateTimeField(default=database_now, editable=False)
    created_by = models.CharField(max_length=150)

    def __str__(self) -> str:
        return self.digest[:12]
