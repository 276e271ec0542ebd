"""The links of crews. They are changed only in links.py."""

from datetime import datetime

from django.db import models
from django.db.models import Q

from dispatch.models import Crew
from dispatch.runs import bounds


class CrewLink(models.Model):
    """An unguessable link to one crew's run of one day.

    It opens from the beginning of the day until `ends_at`, at 4 the next morning.
    """

    crew = models.ForeignKey(Crew, models.PROTECT, related_name="links")
    day = models.DateField()
    token = models.CharField(max_length=40, unique=True, editable=False)
    token_sha256 = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.CharField(max_length=150, editable=False)
    ends_at = models.DateTimeField(db_index=True, editable=False)
    revoked_at = models.DateTimeField(null=True, editable=False)
    revoked_by = models.CharField(max_length=150, blank=True, editable=False)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                name="one_active_link_per_crew_and_day",
                fields=["crew", "day"],
                condition=Q(revoked_at__isnull=True),
            )
        ]

    def __str__(self) -> str:
        """Return text without the token: it appears in logs and error reports."""
        return f"link of {self.crew}, {self.day}"

    @property
    def opens_at(self) -> datetime:
        """The beginning of the day."""
        return bounds(self.day)[0]

    @property
    def actor(self) -> str:
        """Who did what is done on the page of the link."""
        return f"crew: {self.crew.name}"

    def is_open(self, now: datetime) -> bool:
        """Whether the link shows the run: on its day, unless it was revoked."""
        return self.revoked_at is None and self.opens_at <= now < self.ends_at
