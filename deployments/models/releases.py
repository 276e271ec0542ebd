"""What can be deployed: releases, and versions of the edge function."""

from datetime import timedelta
from typing import Any

from django.db import models
from django.db.models import Q
from django.utils import timezone

from deployments.errors import Refused
from deployments.wording import format_time

# How long nobody touches what a push that did not finish has uploaded: it may be underway.
UNDERWAY = timedelta(days=1)


class ReleaseQuerySet(models.QuerySet["Release"]):
    def present(self) -> "ReleaseQuerySet":
        """Releases that were not removed; some of them may not be complete yet."""
        return self.filter(removed_at__isnull=True)

    def complete(self) -> "ReleaseQuerySet":
        """Releases whose manifest is in the store: the others do not exist yet, or no more."""
        return self.present().filter(completed_at__isnull=False)

    def underway(self) -> "ReleaseQuerySet":
        """Releases that somebody may be pushing right now."""
        begun_lately = Q(created_at__gt=timezone.now() - UNDERWAY)
        return self.present().filter(begun_lately, completed_at__isnull=True)

    def take(self, release: "Release", **changes: Any) -> bool:
        """Take a release into use: retention forgets its mark. Tells whether it is still there.

        Called in the transaction that writes down what the release is used for. Retention removes
        only what is still marked as it was, so one of the two comes too late, and knows.
        """
        return bool(self.present().filter(pk=release.pk).update(marked_at=None, **changes))

    def named(self, name: str) -> "Release":
        """Find a complete release. Raises Refused."""
        # PostgreSQL takes no NUL in a text, not even to compare with it.
        found = self.filter(name=name).first() if name.isprintable() else None
        if found is None or not (found.completed_at or found.removed_at):
            raise Refused(
                "release-unknown",
                f"No release is called '{name}'.",
                "List what exists with: manage.py releases",
            )
        if found.removed_at:
            raise found.gone
        return found


class Release(models.Model):
    """An immutable set of files, named by time and by the digest of its manifest.

    Removal is for good: the same files pushed again after it are a new release of the same digest.

    `pages` holds the release's artifact for each surface it contains, as written in the manifest:
    what a switch checks and probes, however many files there are. Retention marks a release first
    (`marked_at`) and removes it later (`removed_at`); the mark goes when all its objects are gone.
    """

    name = models.CharField(max_length=24, unique=True)
    digest = models.CharField(max_length=64, db_index=True)
    files = models.PositiveIntegerField()
    bytes = models.PositiveBigIntegerField()
    pages = models.JSONField(default=dict)
    message = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    created_by = models.CharField(max_length=150)
    completed_at = models.DateTimeField(null=True, blank=True)
    pinned = models.BooleanField(default=False, help_text="Retention leaves it alone.")
    marked_at = models.DateTimeField(null=True, blank=True, editable=False)
    removed_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = ReleaseQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return self.name

    def key(self, path: str) -> str:
        """Name the object that holds one of the release's documents."""
        return f"releases/{self.name}/{path}"

    @property
    def state(self) -> str:
        """What there is of it: `whole`, `marked` for removal, `removed`, `unfinished`."""
        if self.removed_at:
            return "removed"
        if self.completed_at is None:
            return "unfinished"
        return "marked" if self.marked_at else "whole"

    @property
    def gone(self) -> Refused:
        """The error of somebody who wants to use it after retention removed it."""
        when = format_time(self.removed_at or timezone.now())
        return Refused(
            "release-removed",
            f"Release {self} was removed at {when}; its objects are gone.",
            "Push its content again, as a new release, or choose another: manage.py releases",
        )


class FunctionVersion(models.Model):
    """The source of an edge function, kept because AWS keeps no history of sources."""

    digest = models.CharField(max_length=64, unique=True)
    source = models.TextField()
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    created_by = models.CharField(max_length=150)

    def __str__(self) -> str:
        return self.digest[:12]
