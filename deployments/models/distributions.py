"""CDN distributions and the invalidations sent to them."""

from django.db import models

from deployments.models.append_only import AppendOnly, AppendOnlyQuerySet
from deployments.models.environments import Deployment, Environment


class Distribution(models.Model):
    """A CDN distribution that serves an environment.

    `paths` are the patterns it routes to the pages, as in its behaviours: what of a deployment
    concerns it, and so what is invalidated in it.
    """

    environment = models.ForeignKey(Environment, models.CASCADE, related_name="distributions")
    remote_id = models.CharField("id", max_length=64, unique=True)
    domain = models.CharField(max_length=253, blank=True)
    paths = models.JSONField(default=list)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.environment}: {self.remote_id}"


class Invalidation(AppendOnly):
    """A request to drop cached paths that a distribution took: what this month's bill counts.

    `reference` is the CallerReference: the same one is the same request, and is counted once.
    """

    environment = models.ForeignKey(Environment, models.PROTECT, related_name="invalidations")
    deployment = models.ForeignKey(
        Deployment, models.PROTECT, null=True, related_name="invalidations"
    )
    distribution = models.CharField(max_length=64)
    reference = models.CharField(max_length=100)
    paths = models.PositiveIntegerField()
    actor = models.CharField(max_length=150)

    objects = AppendOnlyQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["distribution", "reference"], name="invalidation_counted_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.distribution}: {self.paths} paths"
