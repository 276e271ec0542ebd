"""Hooks: what deployments to an environment call, and the log of the calls."""

import uuid
from typing import Any
from urllib.parse import urlsplit

from django.db import models
from django.db.models import Q

from deployments.errors import Refused
from deployments.models.environments import Deployment, Environment
from edge.database_clock import database_now


class HookQuerySet(models.QuerySet["Hook"]):
    def numbered(self, number: int) -> "Hook":
        """Return a hook. Raises Refused."""
        found = self.filter(pk=number).select_related("environment").first()
        if found is None:
            raise Refused(
                "hook-unknown", f"No hook has the number {number}.", "See: manage.py hooks list"
            )
        return found


class Hook(models.Model):
    """A command or an address that is called at a moment of each deployment to an environment."""

    class Moment(models.TextChoices):
        BEFORE = "before", "Before anything changes"
        AFTER = "after", "After a success"
        FAILED = "failed", "After a failure"

    class Kind(models.TextChoices):
        COMMAND = "command", "Command"
        ADDRESS = "address", "HTTPS address"

    environment = models.ForeignKey(Environment, models.CASCADE, related_name="hooks")
    moment = models.CharField(max_length=10, choices=Moment.choices)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    target = models.CharField(
        max_length=1000, help_text="A command with its arguments, or an https address."
    )
    # Not hashed: every call is signed with it.
    secret = models.CharField(max_length=100, blank=True, editable=False)
    active = models.BooleanField(default=True, help_text="Turned off, it is not called.")
    created_at = models.DateTimeField(default=database_now, editable=False)
    created_by = models.CharField(max_length=150, editable=False)

    objects = HookQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                name="hook_signs_requests", condition=Q(kind="command") | ~Q(secret="")
            )
        ]

    def __str__(self) -> str:
        return f"hook {self.pk} ({self.shown})"

    @property
    def shown(self) -> str:
        """The target for logs: the path of an address is often a secret."""
        if self.kind == self.Kind.COMMAND:
            return self.target
        parts = urlsplit(self.target)
        return f"{parts.scheme}://{parts.netloc}/..."

    def as_json(self) -> dict[str, Any]:
        """Return the hook for --json, without its secret."""
        return {
            "hook": self.pk,
            "environment": self.environment.name,
            "moment": self.moment,
            "kind": self.kind,
            "target": self.target,
            "active": self.active,
            "created_at": self.created_at.isoformat(),
            "created_by": self.created_by,
        }


class HookRun(models.Model):
    """One attempt to call a hook. A delivery that fails has several, with the same payload.

    A waiting one is begun by a task, which is enqueued (again) at `due_at`. One that is begun and
    not ended was killed.
    """

    class Status(models.TextChoices):
        WAITING = "waiting", "Waiting"
        BEGUN = "begun", "Begun"
        SUCCEEDED = "succeeded", "Succeeded"
        FAILED = "failed", "Failed"

    hook = models.ForeignKey(Hook, models.CASCADE, related_name="runs")
    deployment = models.ForeignKey(Deployment, models.PROTECT, null=True, related_name="+")
    delivery = models.UUIDField(default=uuid.uuid4, editable=False)
    payload = models.JSONField(default=dict)
    attempt = models.PositiveSmallIntegerField(default=1)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.WAITING)
    detail = models.CharField(max_length=500, blank=True)
    at = models.DateTimeField(default=database_now, editable=False, db_index=True)
    due_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["pk"]
        indexes = [
            models.Index(fields=["due_at"], name="hookrun_due", condition=Q(status="waiting"))
        ]

    def __str__(self) -> str:
        return f"attempt {self.attempt} of {self.hook}: {self.status}"
