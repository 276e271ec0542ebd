"""What `manage.py work` knows about the task queues."""

from django.db import models
from django_q.models import Schedule


class Heartbeat(models.Model):
    """One queue: when `work` last looked at it, and when a heartbeat last came through.

    A heartbeat is a task. `beat_at` is written when its result has been recorded, so it shows that
    the whole chain works. `is_busy`: every worker has a task. `replaced_why` is for people.
    """

    queue = models.CharField(max_length=50, primary_key=True)
    watched_at = models.DateTimeField(null=True)
    is_busy = models.BooleanField(default=False)
    beat_at = models.DateTimeField(null=True)
    replaced_at = models.DateTimeField(null=True)
    replaced_why = models.CharField(max_length=200, blank=True)

    def __str__(self) -> str:
        return self.queue


class MissingRun(models.Model):
    """A run of a schedule that has no result: it may be under way, or its worker was killed."""

    schedule = models.OneToOneField(Schedule, models.CASCADE, primary_key=True, related_name="+")
    task = models.CharField(max_length=100)
    missed_at = models.DateTimeField()
    attempts = models.PositiveSmallIntegerField(default=1)

    def __str__(self) -> str:
        return f"{self.schedule_id}: {self.task}"
