"""Environments and what happened to them: deployments, outcomes, freezes, maintenance."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from deployments.errors import Refused
from deployments.models.append_only import AppendOnly, AppendOnlyQuerySet
from deployments.models.releases import FunctionVersion, Release


class EnvironmentQuerySet(models.QuerySet["Environment"]):
    def named(self, name: str) -> "Environment":
        """Find an environment. Raises Refused, naming those there are."""
        found = self.filter(name=name).first() if name.isprintable() else None  # a NUL is an error
        if found is None:
            known = ", ".join(self.values_list("name", flat=True)) or "none"
            raise Refused(
                "environment-unknown",
                f"No environment is called '{name}'.",
                f"Use one of: {known}.",
            )
        return found


class Strategy(models.TextChoices):
    """How an environment comes to serve a release (deployments/deploy/strategies.py)."""

    POINTER = "pointer", "Pointer"
    COPY = "copy", "Copy"

    @property
    def runs_function(self) -> bool:
        """Whether viewers meet the edge function, which one switch moves for all of them."""
        return self is Strategy.POINTER


class Environment(models.Model):
    """Hosts that serve one live release through one edge function."""

    name = models.SlugField(max_length=30, unique=True)
    hosts = models.JSONField(
        default=list, help_text="Host names without port; the first one is probed."
    )
    protected = models.BooleanField(
        default=False,
        help_text="Commands ask before they touch it, and the shared error page is its own.",
    )
    strategy = models.CharField(
        max_length=10,
        choices=Strategy.choices,
        default=Strategy.POINTER,
        help_text="Copy is for distributions that cannot run the edge function.",
    )
    stack = models.JSONField(
        default=dict,
        blank=True,
        editable=False,
        help_text="What provision left of its CloudFormation stack: name, id, aliases, outputs.",
    )

    objects = EnvironmentQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        permissions = [
            ("deploy_to_staging", "Can deploy to environments that are not protected"),
            ("deploy_to_production", "Can deploy to protected environments"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def caches(self) -> dict[str, list[str]]:
        """The path patterns of each distribution, by its id; none for all paths.

        The local edge is a cache of its own, named by the environment. Elsewhere there is none
        until a distribution was provisioned or adopted.
        """
        found = {one.remote_id: list(one.paths) for one in self.distributions.all()}
        if not found and settings.EDGE_BACKEND == "local":
            return {self.name: []}
        return found

    @property
    def host(self) -> str:
        """The host that is probed and linked to. Raises Refused."""
        self.check_host()
        return str(self.hosts[0])

    @property
    def copy_prefix(self) -> str:
        """Where the `copy` strategy keeps the files that are served: the origin path."""
        return f"live/{self.name}/"

    @property
    def runs_function(self) -> bool:
        """Whether an edge function answers viewers: previews, canaries and maintenance need it."""
        return Strategy(self.strategy).runs_function

    def check_runs_function(self, purpose: str, hint: str) -> None:
        """Refuse what needs the edge function where there is none. Raises Refused."""
        if not self.runs_function:
            raise Refused(
                "no-function",
                f"{self} is deployed to by copy: no edge function {purpose}.",
                hint,
            )

    def check_host(self) -> None:
        """Refuse an environment that no viewer can reach."""
        if not self.hosts:
            raise Refused(
                "no-host",
                f"{self} has no host, so viewers cannot reach its pages.",
                f"Give it one: manage.py provision --environment {self}",
            )

    @property
    def live(self) -> "Deployment | None":
        """The deployment that succeeded last: what the history says is live.

        A canary leaves the live release in place.
        """
        return self.deployments.switched().select_related("release", "function").last()

    @property
    def canary(self) -> "Deployment | None":
        """The deployment whose release a share of the viewers see, if there is one."""
        last = self.deployments.succeeded().select_related("release", "function").last()
        return last if last and last.kind == last.Kind.CANARY else None

    @property
    def frozen(self) -> "Freeze | None":
        """The freeze that stops deployments to the environment, if there is one."""
        return self.freezes.in_force().filter(release=None).last()

    @property
    def maintenance(self) -> "Maintenance | None":
        """The maintenance that keeps viewers out, as the history tells it, if there is one."""
        last = self.maintenances.order_by("pk").last()
        return last if last and last.on else None


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
    replaced = models.ForeignKey(Release, models.PROTECT, null=True, related_name="+")
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

    @property
    def is_atomic(self) -> bool:
        """Whether it either took place or did not: a copy may have arrived in part."""
        return Strategy(self.strategy).runs_function


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
