"""What can be deployed: releases, and versions of the edge function."""

from django.db import models

from deployments.errors import Refused


class ReleaseQuerySet(models.QuerySet["Release"]):
    def complete(self) -> "ReleaseQuerySet":
        """Releases whose manifest is in the store: the others do not exist yet, or no more."""
        return self.filter(completed_at__isnull=False, removed_at__isnull=True)

    def named(self, name: str) -> "Release":
        """Find a complete release. Raises Refused."""
        found = self.complete().filter(name=name).first()
        if found is None:
            raise Refused(
                "release-unknown",
                f"No release is called '{name}'.",
                "List what exists with: manage.py releases",
            )
        return found


class Release(models.Model):
    """An immutable set of files, named by time and by the digest of its manifest.

    `pages` holds the release's artifact for each surface it contains, as written in the manifest:
    what a switch checks and probes, however many files there are. Retention marks a release first
    (`marked_at`) and removes its objects later (`removed_at`); it never touches one that is pinned.
    """

    name = models.CharField(max_length=24, unique=True)
    digest = models.CharField(max_length=64, unique=True)
    files = models.PositiveIntegerField()
    bytes = models.PositiveBigIntegerField()
    pages = models.JSONField(default=dict)
    message = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
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


class FunctionVersion(models.Model):
    """The source of an edge function, kept because AWS keeps no history of sources."""

    digest = models.CharField(max_length=64, unique=True)
    source = models.TextField()
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.CharField(max_length=150)

    def __str__(self) -> str:
        return self.digest[:12]
