"""What the office plans beside the jobs themselves: runs, snoozed reminders and saved views."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from dispatch.models.jobs import Job
from dispatch.models.people import Crew


class Run(models.Model):
    """The order in which a crew does its jobs of a day; see dispatch.runs.

    `order` lists keys of jobs. Jobs that it does not name follow their windows, and those that have
    left the run are ignored, so a run has no gaps and no job twice.
    """

    crew = models.ForeignKey(Crew, models.PROTECT, related_name="runs")
    day = models.DateField()
    order = models.JSONField(default=list)
    revision = models.PositiveIntegerField(default=1)
    actor = models.CharField(max_length=150)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["crew", "day"], name="one_run_per_crew_and_day")
        ]

    def __str__(self) -> str:
        return f"{self.crew}, {self.day}"


class Snooze(models.Model):
    """Hides a job from a rule of "needs you" until a time, with a reason; see dispatch.needs.

    `job` is empty for a rule that is not about one job.
    """

    rule = models.CharField(max_length=30)
    job = models.ForeignKey(Job, models.CASCADE, null=True, blank=True, related_name="snoozes")
    until = models.DateTimeField()
    reason = models.CharField(max_length=200)
    actor = models.CharField(max_length=150)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [models.Index(fields=["until"], name="snooze_by_end")]

    def __str__(self) -> str:
        return f"{self.rule}, until {self.until:%Y-%m-%d %H:%M} UTC"


class SavedView(models.Model):
    """A filtered list of jobs with a name. Without an owner it is everyone's."""

    name = models.CharField(max_length=60)
    query = models.CharField(max_length=500, help_text="The part of the list's address after “?”.")
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="saved_views",
        editable=False,
    )

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["owner", "name"], name="one_view_per_owner_and_name"),
            models.UniqueConstraint(
                fields=["name"], condition=Q(owner__isnull=True), name="one_view_of_all_per_name"
            ),
        ]

    def __str__(self) -> str:
        return self.name
