"""What keeps others from deploying: locks while a switch is made, freezes until they are lifted."""

from django.db import models
from django.db.models import Q
from django.utils import timezone

from deployments.history import AppendOnly, AppendOnlyQuerySet
from deployments.models.environments import Environment
from deployments.models.releases import Release


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

    A push that meets it waits until it is over (deployments/retention/asset_sweeps.py).
    """

    only = models.BooleanField(default=True, unique=True)
    holder = models.CharField(max_length=150)
    host = models.CharField(max_length=150)
    pid = models.PositiveIntegerField()
    expires_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.holder


class FreezeQuerySet(models.QuerySet["Freeze"]):
    def in_force(self) -> "FreezeQuerySet":
        """Freezes that nobody lifted and that are not over."""
        over = Q(until__isnull=False, until__lte=timezone.now())
        return self.filter(lifted_at__isnull=True).exclude(over)


class Freeze(models.Model):
    """A stop of deployments to an environment, with who, why and until when.

    With `release` it stops that release alone: what a rollback leaves behind it.
    """

    environment = models.ForeignKey(Environment, models.CASCADE, related_name="freezes")
    release = models.ForeignKey(Release, models.CASCADE, null=True, related_name="+")
    reason = models.CharField(max_length=300)
    actor = models.CharField(max_length=150)
    at = models.DateTimeField(auto_now_add=True)
    until = models.DateTimeField(null=True)
    lifted_at = models.DateTimeField(null=True)
    lifted_by = models.CharField(max_length=150, blank=True)

    objects = FreezeQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(name="freeze_says_why", condition=~Q(reason="") & ~Q(actor=""))
        ]

    def __str__(self) -> str:
        return f"{self.environment}: {self.reason}"


class Maintenance(AppendOnly):
    """An environment was put into maintenance, or out of it.

    `message` is for the public, on the page; `reason` for those who look at the history.
    """

    environment = models.ForeignKey(Environment, models.PROTECT, related_name="maintenances")
    on = models.BooleanField()
    message = models.CharField(max_length=300, blank=True)
    reason = models.CharField(max_length=300, blank=True)
    actor = models.CharField(max_length=150)

    objects = AppendOnlyQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.environment}: maintenance {'on' if self.on else 'off'}"
