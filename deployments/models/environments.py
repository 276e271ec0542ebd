"""Environments and their history: deployments, outcomes, freezes, maintenance."""

from collections.abc import Iterable

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from deployments.errors import Refused
from deployments.models.append_only import AppendOnly, AppendOnlyQuerySet
from deployments.models.releases import FunctionVersion, Release
from deployments.wording import format_time
from edge.access import PREVIEWS_ONLY
from edge.database_clock import database_now
from edge.protocols import Backend
from edge.serving_rules import ServingRules


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


class PresentEnvironments(models.Manager["Environment"]):
    """Leaves removed environments out."""

    def get_queryset(self) -> models.QuerySet["Environment"]:
        return super().get_queryset().filter(removed_at=None)


class Strategy(models.TextChoices):
    """How an environment comes to serve a release (deployments/deploy/strategies.py)."""

    POINTER = "pointer", "Pointer"
    COPY = "copy", "Copy"

    @property
    def runs_function(self) -> bool:
        """Whether viewers meet the edge function, which one switch moves for all of them."""
        return self is Strategy.POINTER


class Access(models.TextChoices):
    """Who sees the pages of an environment."""

    OPEN = "open", "Everyone"
    PASSWORD = "password", "Those with the password"
    PREVIEWS = "previews", "Those with a preview link"


class Environment(models.Model):
    """Hosts that serve one live release through one edge function."""

    name = models.SlugField(max_length=30, unique=True)
    hosts = models.JSONField(
        default=list, help_text="Host names without a port. Checks request the first one."
    )
    protected = models.BooleanField(
        default=False,
        help_text="Commands ask before they change it. It decides the shared error page.",
    )
    strategy = models.CharField(
        max_length=10,
        choices=Strategy.choices,
        default=Strategy.POINTER,
        help_text="Choose Copy for a distribution that cannot run the edge function.",
    )
    application = models.BooleanField(
        default=True,
        help_text="Django answers its own paths here, such as /admin/ and /api/. Turn it off for "
        "a site that needs these paths.",
    )
    canonical = models.CharField(
        max_length=253,
        blank=True,
        help_text="All other hosts redirect to this one.",
    )
    headers = models.JSONField(
        default=dict,
        blank=True,
        help_text="Response headers of its pages, in place of the default ones of the same names.",
    )
    access = models.CharField(
        max_length=10,
        choices=Access.choices,
        default=Access.OPEN,
        help_text="Who sees its pages. Anyone else is asked for the password, or refused.",
    )
    password = models.CharField(
        max_length=120,
        blank=True,
        editable=False,
        help_text="<salt>.<digest> of user name and password, as the edge function checks them.",
    )
    noindex = models.BooleanField(
        default=False, help_text="Its answers ask search engines not to index them."
    )
    canary_margin = models.PositiveSmallIntegerField(
        null=True,
        blank=True,
        help_text="A canary ends by itself once its pages are more than this percentage slower "
        "than the live ones, or fail more often. Empty: it does not.",
    )
    removed_at = models.DateTimeField(null=True, editable=False)
    stack = models.JSONField(
        default=dict,
        blank=True,
        editable=False,
        help_text="Its CloudFormation stack as provision recorded it: name, id, aliases, outputs.",
    )

    objects = PresentEnvironments.from_queryset(EnvironmentQuerySet)()
    every = EnvironmentQuerySet.as_manager()  # including removed ones

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
        return str(self.canonical or self.hosts[0])

    def address_of(self, host: str) -> str:
        """Return the name at which its stack's distribution answers for an alias; else ""."""
        names = {host, f"*.{host.partition('.')[2]}"}
        if names.isdisjoint(self.stack.get("aliases", [])):
            return ""
        return str(self.stack["outputs"]["DistributionDomain"])

    @property
    def gate(self) -> str:
        """Who is let in, as routing documents say it: no one while the password is missing."""
        if self.access == Access.OPEN:
            return ""
        return self.password if self.access == Access.PASSWORD and self.password else PREVIEWS_ONLY

    @property
    def serving_rules(self) -> ServingRules:
        """How its distribution answers: whether Django does, and with which headers."""
        hidden = self.noindex or self.access != Access.OPEN
        return ServingRules(
            self.application, {**self.headers, **({"x-robots-tag": "noindex"} if hidden else {})}
        )

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

    def check_present(self) -> None:
        """Raise Refused if the environment was removed."""
        if self.removed_at:
            raise Refused(
                "environment-removed",
                f"{self} was removed at {format_time(self.removed_at)}.",
                f"Bring it back with: manage.py environment add {self}",
            )

    def check_free(self, hosts: Iterable[str]) -> None:
        """Refuse hosts that another environment has. Raises Refused."""
        for other in Environment.objects.exclude(pk=self.pk):
            if taken := sorted({*hosts} & {*other.hosts, *other.stack.get("aliases", [])}):
                raise Refused(
                    "host-taken",
                    f"'{taken[0]}' is a host of {other}; one host serves one environment.",
                    f"Use another host, or remove it there: manage.py environment set {other}",
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
        return self.freezes.in_force().by_hand().last()

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
        null=True, editable=False, help_text="Percentage of viewers who see the canary."
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
        over = Q(until__isnull=False, until__lte=Now())
        return self.filter(lifted_at__isnull=True).exclude(over)

    def by_hand(self) -> "FreezeQuerySet":
        """Freezes that stop all deployments to their environment."""
        return self.filter(release__isnull=True)

    def guards(self) -> "FreezeQuerySet":
        """Guards, each of which stops one release that a rollback left."""
        return self.filter(release__isnull=False)


class Freeze(models.Model):
    """A stop of deployments to an environment, with who, why and until when.

    With `release` it is a guard: it only stops that release, which a rollback left.
    """

    environment = models.ForeignKey(Environment, models.CASCADE, related_name="freezes")
    release = models.ForeignKey(Release, models.CASCADE, null=True, related_name="+")
    reason = models.CharField(max_length=300)
    actor = models.CharField(max_length=150)
    at = models.DateTimeField(default=database_now, editable=False)
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
