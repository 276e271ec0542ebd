"""Environments and their history: deployments, outcomes, freezes, maintenance."""

from django.db import models
from django.db.models import Q
from django.utils import timezone

from deployments.errors import Refused
from deployments.models.append_only import AppendOnly, AppendOnlyQuerySet
from deployments.models.releases import FunctionVersion, Release
from edge.protocols import Backend


class EnvironmentQuerySet(models.QuerySet["Environment"]):
    def named(self, name: str) -> "Environment":
        """Return an environment. Raises Refused, with the names that exist."""
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

    def caches(self, backend: Backend) -> dict[str, list[str]]:
        """Return the path patterns of each distribution by its id; no patterns mean all paths.

        Without a recorded distribution the local edge's cache is the only one, if the back end has
        it, and the environment's name is its id.
        """
        found = {one.remote_id: list(one.paths) for one in self.distributions.all()}
        return found or ({self.name: []} if backend.has_local_cache else {})

    @property
    def host(self) -> str:
        """The host that is probed and linked. Raises Refused."""
        self.check_host()
        return str(self.hosts[0])

    @property
    def copy_prefix(self) -> str:
        """The prefix of the files served by the `copy` strategy, which is the origin path."""
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
                f"{self} is deployed by copy: no edge function {purpose}.",
                hint,
            )

    def check_host(self) -> None:
        """Raise Refused if the environment has no host."""
        if not self.hosts:
            raise Refused(
                "no-host",
                f"{self} has no host, so its pages cannot be requested.",
                f"Add one: manage.py provision --environment {self}",
            )

    @property
    def live(self) -> "Deployment | None":
        """The last successful deployment that is not a canary: live according to the history.

        A canary leaves the live release in place.
        """
        return self.deployments.switched().select_related("release", "function").last()

    @property
    def canary(self) -> "Deployment | None":
        """The deployment whose release a share of viewers see, if any."""
        last = self.deployments.succeeded().select_related("release", "function").last()
        return last if last and last.kind == last.Kind.CANARY else None

    @property
    def frozen(self) -> "Freeze | None":
        """The freeze that stops deployments to the environment, if any."""
        return self.freezes.in_force().filter(release=None).last()

    @property
    def maintenance(self) -> "Maintenance | None":
        """The maintenance that keeps viewers out according to the history, if any."""
        last = self.maintenances.order_by("pk").last()
        return last if last and last.on else None


class DeploymentQuerySet(AppendOnlyQuerySet):
    def succeeded(self) -> "DeploymentQuerySet":
        """Deployments after which the environment served their release."""
        return self.filter(outcome__result=Outcome.Result.SUCCEEDED)

    def switched(self) -> "DeploymentQuerySet":
        """Successful deployments that were for all viewers."""
        return self.succeeded().exclude(kind=Deployment.Kind.CANARY)

    def unfinished(self) -> "DeploymentQuerySet":
        """Deployments without an outcome."""
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
    """How a deployment ended, in a separate row, so that the deployment's is never edited."""

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
        """Freezes that have not been lifted and are not over."""
        over = Q(until__isnull=False, until__lte=timezone.now())
        return self.filter(lifted_at__isnull=True).exclude(over)


class Freeze(models.Model):
    """A stop of deployments to an environment, with who, why and until when.

    With `release` it only stops that release, which a rollback left.
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
    """The start or end of an environment's maintenance.

    `message` is for the public, on the page; `reason` is for the history.
    """

    environment = models.ForeignKey(Environment, models.PROTECT, related_name="maintenances")
    on = models.BooleanField()
    message = models.CharField(max_length=300, blank=True)
    reason = models.CharField(max_length=300, blank=True)
    actor = models.CharField(max_length=150)

    objects = AppendOnlyQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.environment}: maintenance {'on' if self.on else 'off'}"
