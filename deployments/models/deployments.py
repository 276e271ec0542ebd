"""What happened: deployments, how they ended, what they dropped from caches."""

from django.db import models

from deployments.history import AppendOnly, AppendOnlyQuerySet
from deployments.models.environments import Environment, Strategy
from deployments.models.releases import FunctionVersion, Release


class DeploymentQuerySet(AppendOnlyQuerySet):
    def succeeded(self) -> "DeploymentQuerySet":
        """Deployments after which the environment served what they name."""
        return self.filter(outcome__result=Outcome.Result.SUCCEEDED)

    def switched(self) -> "DeploymentQuerySet":
        """Deployments that succeeded and gave all viewers what they name."""
        return self.succeeded().exclude(kind=Deployment.Kind.CANARY)

    def unfinished(self) -> "DeploymentQuerySet":
        """Deployments somebody began and nobody saw the end of."""
        return self.filter(outcome__isnull=True)


class Deployment(AppendOnly):
    """The act of pointing an environment at a release, recorded before it is done."""

    class Kind(models.TextChoices):
        PUSH = "push", "Push"
        FUNCTION = "function", "Edge function"
        PROMOTE = "promote", "Promotion"
        ROLLBACK = "rollback", "Rollback"
        CANARY = "canary", "Canary"

    environment = models.ForeignKey(Environment, models.PROTECT, related_name="deployments")
    release = models.ForeignKey(Release, models.PROTECT, related_name="deployments")
    previous = models.ForeignKey(Release, models.PROTECT, null=True, related_name="+")
    function = models.ForeignKey(FunctionVersion, models.PROTECT, related_name="deployments")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    strategy = models.CharField(
        max_length=10, choices=Strategy.choices, default=Strategy.POINTER, editable=False
    )
    percent = models.PositiveSmallIntegerField(
        null=True, editable=False, help_text="Share of the viewers who see a canary."
    )
    actor = models.CharField(max_length=150)
    reason = models.CharField(max_length=300, blank=True)

    objects = DeploymentQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} of {self.release} to {self.environment}"


class Outcome(AppendOnly):
    """How a deployment ended: a row of its own, so that the deployment's is never edited."""

    class Result(models.TextChoices):
        SUCCEEDED = "succeeded", "Succeeded"
        RESTORED = "restored", "Failed, restored"
        ABANDONED = "abandoned", "Interrupted before the switch"

    deployment = models.OneToOneField(Deployment, models.PROTECT, related_name="outcome")
    result = models.CharField(max_length=10, choices=Result.choices)
    detail = models.CharField(max_length=500, blank=True)

    objects = AppendOnlyQuerySet.as_manager()

    def __str__(self) -> str:
        return self.get_result_display()


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
