"""Work that the admin or the API asks for and a task does, with its steps."""

from django.db import models

from deployments.models.environments import Deployment, Environment
from edge.database_clock import database_now


class Operation(models.Model):
    """A change of an environment that was confirmed on its page, or requested by the API.

    `attempts` counts the tasks that began it. The last of them is the process `runner` (host, id,
    start), which renews `alive_at`.
    """

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        RUNNING = "running", "Running"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"

    environment = models.ForeignKey(Environment, models.CASCADE, related_name="operations")
    kind = models.CharField(max_length=20)
    options = models.JSONField(default=dict)
    actor = models.CharField(max_length=150)
    reason = models.CharField(max_length=300, blank=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    deployment = models.ForeignKey(Deployment, models.PROTECT, null=True, related_name="+")
    asked_at = models.DateTimeField(default=database_now, editable=False)
    ended_at = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    runner = models.CharField(max_length=200, blank=True)
    alive_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"{self.kind} of {self.environment}"


class Step(models.Model):
    """One line of an operation's output, in order."""

    operation = models.ForeignKey(Operation, models.CASCADE, related_name="steps")
    at = models.DateTimeField(default=database_now, editable=False)
    line = models.CharField(max_length=1000)
    is_fault = models.BooleanField(default=False)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return self.line
