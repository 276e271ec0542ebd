"""Branch previews: the release that each branch shows at an address of its own."""

from datetime import timedelta

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from deployments.errors import Refused
from deployments.models.environments import Environment
from deployments.models.releases import Release
from edge.database_clock import database_now

SLUG_LENGTH = 63  # of a label in a host name (RFC 1035, 2.3.4)


class BranchPreviewQuerySet(models.QuerySet["BranchPreview"]):
    def of(self, branch: str) -> "BranchPreview":
        """Return a branch's preview. Raises Refused."""
        found = self.filter(branch=branch).first() if branch.isprintable() else None  # no NUL
        if found is None:
            raise Refused(
                "preview-unknown",
                f"No preview shows a branch called '{branch}'.",
                "List them with: manage.py previews",
            )
        return found

    def without_push_for(self, days: int) -> "BranchPreviewQuerySet":
        """Previews whose last push is more than `days` ago."""
        return self.filter(pushed_at__lt=Now() - timedelta(days=days))

    def as_read(self, previews: "list[BranchPreview]") -> "BranchPreviewQuerySet":
        """Rows as they were read: those of branches that were pushed since are left out."""
        unchanged = Q(pk__in=[])
        for one in previews:
            unchanged |= Q(pk=one.pk, pushed_at=one.pushed_at)
        return self.filter(unchanged)


class BranchPreview(models.Model):
    """What a branch shows, until it is removed or no push arrives for PREVIEW_DAYS.

    `slug` is the first label of its host and never changes. `environment` gives the edge function
    and the protection. `commit` is the one pushed last, which the release may not have: the same
    files of a later commit are the same release.
    """

    branch = models.CharField(max_length=200, unique=True)
    slug = models.CharField(max_length=SLUG_LENGTH, unique=True)
    environment = models.ForeignKey(Environment, models.PROTECT, related_name="branch_previews")
    release = models.ForeignKey(Release, models.PROTECT, related_name="branch_previews")
    commit = models.CharField(max_length=64, blank=True)
    actor = models.CharField(max_length=150)
    pushed_at = models.DateTimeField(default=database_now, editable=False)

    objects = BranchPreviewQuerySet.as_manager()

    class Meta:
        ordering = ["-pushed_at", "-pk"]

    def __str__(self) -> str:
        return self.branch
