"""Leases: one deployment per environment at a time, one removal of shared assets at a time."""

from datetime import timedelta

from django.db import models
from django.db.models import Q

from deployments.models.environments import Environment


class Lease(models.Model):
    """The right of one process to do something (deployments/locks/lease.py)."""

    # Without being renewed. A switch takes seconds, and so does a batch of removals.
    LASTS = timedelta(minutes=10)
    holder = models.CharField(max_length=150)
    host = models.CharField(max_length=150)
    pid = models.PositiveIntegerField()
    # Of the process, in ticks since the machine's start: after a restart, another process may have
    # the same id. 0 is unknown.
    started = models.PositiveBigIntegerField(default=0)
    expires_at = models.DateTimeField()

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.holder

    @property
    def runner(self) -> str:
        """The process that holds it, as Operation.runner."""
        return f"{self.host} {self.pid} {self.started}"


class DeployLock(Lease):
    """Who is deploying to an environment, since when and why. At most one row per environment."""

    environment = models.OneToOneField(Environment, models.CASCADE, related_name="lock")
    reason = models.CharField(max_length=300)
    acquired_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="deploylock_says_why", condition=~Q(reason="") & ~Q(holder="")
            )
        ]


class AssetSweep(Lease):
    """Who is removing shared assets. At most one row: a push waits until it is gone."""

    LASTS = timedelta(minutes=5)
    only = models.BooleanField(default=True, unique=True)
