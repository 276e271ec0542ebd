"""Locks: one deployment per environment at a time, one removal of shared assets at a time."""

from django.db import models
from django.db.models import Q

from deployments.models.environments import Environment


class DeployLock(models.Model):
    """Who is switching an environment, since when and why. One row an environment at most."""

    environment = models.OneToOneField(Environment, models.CASCADE, related_name="lock")
    holder = models.CharField(max_length=150)
    reason = models.CharField(max_length=300)
    host = models.CharField(max_length=150)
    pid = models.PositiveIntegerField()
    acquired_at = models.DateTimeField()
    expires_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="deploylock_says_why", condition=~Q(reason="") & ~Q(holder="")
            )
        ]

    def __str__(self) -> str:
        return f"{self.environment}: {self.holder}"


class AssetSweep(models.Model):
    """Who is removing shared assets, and until when at most. One row, so one at a time.

    A push that meets it waits until it is over (deployments/locks/asset_sweep.py).
    """

    only = models.BooleanField(default=True, unique=True)
    holder = models.CharField(max_length=150)
    host = models.CharField(max_length=150)
    pid = models.PositiveIntegerField()
    expires_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.holder
