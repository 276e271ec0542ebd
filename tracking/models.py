"""Tracking links. They are changed only in links.py and publishing.py."""

from datetime import datetime

from django.db import models
from django.db.models import F, Q

from dispatch.models import Job

MAX_TOKEN_LENGTH = 128


class TrackingLinkQuerySet(models.QuerySet["TrackingLink"]):
    """Sets of links."""

    def active(self) -> "TrackingLinkQuerySet":
        """Links that open a job."""
        return self.filter(revoked_at__isnull=True)

    def behind(self) -> "TrackingLinkQuerySet":
        """Links whose document is out of date.

        An active link's is older than the job's revision; a revoked link's still exists.
        """
        active, published = Q(revoked_at__isnull=True), Q(published_revision__isnull=False)
        stale = ~published | Q(published_revision__lt=F("job__revision"))
        return self.filter((active & stale) | (~active & published)).order_by("pk")

    def unclaimed(self, *, lapsed_before: datetime) -> "TrackingLinkQuerySet":
        """Links that no worker has claimed, or whose claim has lapsed."""
        return self.filter(Q(claimed_at__isnull=True) | Q(claimed_at__lt=lapsed_before))


class TrackingLink(models.Model):
    """An unguessable link to one job's public document.

    `published_revision` is the revision of the published document: null if there is none, 0 if
    it is unknown whether one exists or which. `claimed_at` is the claim of the publishing worker.
    """

    job = models.ForeignKey(Job, models.PROTECT, related_name="tracking_links")
    token = models.CharField(max_length=MAX_TOKEN_LENGTH, unique=True, editable=False)
    token_sha256 = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.CharField(max_length=150, editable=False)
    revoked_at = models.DateTimeField(null=True, editable=False)
    revoked_by = models.CharField(max_length=150, blank=True, editable=False)
    revoke_reason = models.CharField(max_length=300, blank=True, editable=False)
    published_revision = models.PositiveIntegerField(null=True, editable=False)
    published_at = models.DateTimeField(null=True, editable=False)
    claimed_at = models.DateTimeField(null=True, editable=False)

    objects = TrackingLinkQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                name="one_active_link_per_job",
                fields=["job"],
                condition=Q(revoked_at__isnull=True),
            ),
            models.CheckConstraint(
                name="revoked_link_has_a_reason",
                condition=Q(revoked_at__isnull=True) | ~Q(revoke_reason=""),
            ),
        ]

    def __str__(self) -> str:
        """Return text without the token: it appears in lists, logs and error reports."""
        return f"link {self.pk} of job {self.job_id}"

    @property
    def is_active(self) -> bool:
        return self.revoked_at is None

    @property
    def key(self) -> str:
        """The document's key in the object store."""
        return f"jobs/{self.token_sha256}.json"
