"""Links by which a customer reads one job. They change in links.py and publishing.py only."""

from datetime import datetime

from django.db import models
from django.db.models import F, Q

from dispatch.models import Job

LONGEST_TOKEN = 128


class TrackingLinkQuerySet(models.QuerySet["TrackingLink"]):
    """Sets of links."""

    def active(self) -> "TrackingLinkQuerySet":
        """Links that open something."""
        return self.filter(revoked_at__isnull=True)

    def behind(self) -> "TrackingLinkQuerySet":
        """Links whose document is not what it should be.

        Active ones that show less than the job's revision, and revoked ones whose document is
        still out.
        """
        stale = Q(published_revision__isnull=True) | Q(published_revision__lt=F("job__revision"))
        active, out = Q(revoked_at__isnull=True), Q(published_revision__isnull=False)
        return self.filter((active & stale) | (~active & out)).order_by("pk")

    def unclaimed(self, *, lapsed_before: datetime) -> "TrackingLinkQuerySet":
        """Links nobody is publishing, or whose publisher is taken to be dead."""
        return self.filter(Q(claimed_at__isnull=True) | Q(claimed_at__lt=lapsed_before))


class TrackingLink(models.Model):
    """An unguessable link to one job's public document.

    `published_revision` is the revision of the document that is out: null when none is, 0 when
    one may be and nobody knows which. `claimed_at` is the claim of whoever publishes it now.
    """

    job = models.ForeignKey(Job, models.PROTECT, related_name="tracking_links")
    token = models.CharField(max_length=LONGEST_TOKEN, unique=True, editable=False)
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
        """Name the link without its token: this stands in lists, logs and error reports."""
        return f"link {self.pk} of job {self.job_id}"

    def __repr__(self) -> str:
        return f"<TrackingLink: {self}>"

    @property
    def is_active(self) -> bool:
        return self.revoked_at is None

    @property
    def key(self) -> str:
        """Where the document stands in the object store."""
        return f"jobs/{self.token_sha256}.json"
