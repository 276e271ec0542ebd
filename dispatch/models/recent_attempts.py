"""What was attempted in the last day, for the limits on public forms."""

from django.db import models


class RecentAttempt(models.Model):
    """A booking or another attempt, counted for its sender's address, phone number or link.

    `source` is a keyed hash (limits.hashed), so the table shows none of them. Rows are
    deleted after a day.
    """

    source = models.CharField(max_length=64)
    at = models.DateTimeField(db_index=True)

    class Meta:
        indexes = [models.Index(fields=["source", "at"], name="recent_attempt_by_source")]

    def __str__(self) -> str:
        return f"recent attempt {self.pk}"
