"""Tracking links. They are changed only in links.py and publishing.py."""

from datetime import datetime

from django.db import models
from django.db.models import Case, F, Q, When
from django.db.models.functions import Now

from dispatch.models import Job

MAX_TOKEN_LENGTH = 128
UNKNOWN_REVISION = 0
MAX_PROBLEM_LENGTH = 300
# An active link's document is older than the job's revision; a revoked link's still exists. One
# table has both sides, so that an index holds what is behind and nothing else.
BEHIND = Q(revoked_at__isnull=True) & (
    Q(published_revision__isnull=True) | Q(published_revision__lt=F("due_revision"))
) | Q(revoked_at__isnull=False, published_revision__isnull=False)
# Since when a link is behind that is being marked: it may have been behind already.
_SINCE = Case(
    When(Q(published_revision__gte=F("due_revision")) | Q(due_since=None), then=Now()),
    default=F("due_since"),
)


class TrackingLinkQuerySet(models.QuerySet["TrackingLink"]):
    """Sets of links."""

    def active(self) -> "TrackingLinkQuerySet":
        """Links that open a job."""
        return self.filter(revoked_at__isnull=True)

    def behind(self) -> "TrackingLinkQuerySet":
        """Links whose document is out of date. Reads no others, however many there are."""
        return self.filter(BEHIND).order_by("pk")

    def unclaimed(self, *, lapsed_before: datetime) -> "TrackingLinkQuerySet":
        """Links that no worker has claimed, or whose claim has lapsed."""
        return self.filter(Q(claimed_at__isnull=True) | Q(claimed_at__lt=lapsed_before))

    def mark_due(self, revision: int) -> int:
        """Note in the transaction of a change that the documents are to have its revision."""
        return self.update(due_revision=revision, due_since=_SINCE)

    def mark_unknown(self) -> int:
        """Mark the documents to be written again, current or not, and return how many.

        This also breaks the claim of a worker that may have read the job before the change.
        """
        unknown = {"published_revision": UNKNOWN_REVISION, "claimed_at": None}
        return self.update(**unknown, due_since=_SINCE)


class TrackingLink(models.Model):
    """An unguessable link to one job's public document.

    `token` is empty where only its SHA-256 is known, as after a restore from the registry.
    `due_revision` is the job's revision, written in the transaction of its change, and `due_since`
    the time of the first change that is not published. `published_revision` is the revision of the
    published document: null if there is none, 0 if it is unknown whether one exists or which.
    `claimed_at` is the claim of the publishing worker. `is_receipt` is set some time after the
    job's end: from then on the document is a receipt.
    """

    job = models.ForeignKey(Job, models.PROTECT, related_name="tracking_links")
    token = models.CharField(max_length=MAX_TOKEN_LENGTH, blank=True, editable=False)
    token_sha256 = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.CharField(max_length=150, editable=False)
    revoked_at = models.DateTimeField(null=True, editable=False)
    revoked_by = models.CharField(max_length=150, blank=True, editable=False)
    revoke_reason = models.CharField(max_length=300, blank=True, editable=False)
    due_revision = models.PositiveIntegerField(default=1, editable=False)
    due_since = models.DateTimeField(null=True, editable=False)
    published_revision = models.PositiveIntegerField(null=True, editable=False)
    published_at = models.DateTimeField(null=True, editable=False)
    claimed_at = models.DateTimeField(null=True, editable=False)
    is_receipt = models.BooleanField(default=False, editable=False)

    objects = TrackingLinkQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        indexes = [models.Index(fields=["id"], condition=BEHIND, name="link_behind")]
        constraints = [
            models.UniqueConstraint(
                name="one_active_link_per_job",
                fields=["job"],
                condition=Q(revoked_at__isnull=True),
            ),
            models.UniqueConstraint(
                name="one_link_per_token", fields=["token"], condition=~Q(token="")
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


class TrackingCheck(models.Model):
    """One run of the check that follows a change to the edge (`verify --tracking`).

    The delays are those of the steps, one after the other, in milliseconds: committing the change,
    then publishing its document, then the edge's answer with it. They are null where the check did
    not get so far; `problem` then says why, and what to do.
    """

    environment = models.CharField(max_length=30)
    at = models.DateTimeField(auto_now_add=True, db_index=True)
    write_ms = models.PositiveIntegerField(null=True)
    publish_ms = models.PositiveIntegerField(null=True)
    edge_ms = models.PositiveIntegerField(null=True)
    problem = models.CharField(max_length=MAX_PROBLEM_LENGTH, blank=True)

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"Check of {self.environment}"

    @property
    def total_ms(self) -> int | None:
        """The time from the beginning of the change to the edge's answer with it."""
        steps = (self.write_ms, self.publish_ms, self.edge_ms)
        return None if None in steps else sum(step or 0 for step in steps)
