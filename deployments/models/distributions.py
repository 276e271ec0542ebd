"""CDN distributions and the invalidations sent to them."""

from django.db import models

from deployments.models.append_only import AppendOnly, AppendOnlyQuerySet
from deployments.models.environments import Deployment, Environment
from deployments.wording import plural


class Distribution(models.Model):
    """A CDN distribution that serves an environment.

    `paths` are the path patterns of its behaviours that lead to the pages. Only files that match
    them are invalidated in it.
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
    """An invalidation request that a distribution accepted; the monthly bill counts its paths.

    `reference` is the CallerReference. A repeated one is the same request and is counted once.
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
        return f"{self.distribution}: {plural(self.paths, 'path')}"
