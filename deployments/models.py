"""What exists and what happened: environments, releases, deployments, locks."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from deployments.errors import Refused
from deployments.history import AppendOnly, AppendOnlyQuerySet


class EnvironmentQuerySet(models.QuerySet["Environment"]):
    def named(self, name: str) -> "Environment":
        """Find an environment. Raises Refused, naming those there are."""
        found = self.filter(name=name).first()
        if found is None:
            known = ", ".join(self.values_list("name", flat=True)) or "none"
            raise Refused(
                "environment-unknown",
                f"No environment is called '{name}'.",
                f"Use one of: {known}.",
            )
        return found


class Strategy(models.TextChoices):
    """How an environment comes to serve a release (deployments/strategies.py)."""

    POINTER = "pointer", "Pointer"
    COPY = "copy", "Copy"


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
    def copy_prefix(self) -> str:
        """Where the `copy` strategy keeps the files that are served: the origin path."""
        return f"live/{self.name}/"

    @property
    def live(self) -> "Deployment | None":
        """The deployment that succeeded last: what the history says is live."""
        return self.deployments.succeeded().select_related("release", "function").last()


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


class ReleaseQuerySet(models.QuerySet["Release"]):
    def complete(self) -> "ReleaseQuerySet":
        """Releases whose manifest was written: the others do not exist yet."""
        return self.filter(completed_at__isnull=False)

    def named(self, name: str) -> "Release":
        """Find a complete release. Raises Refused."""
        found = self.complete().filter(name=name).first()
        if found is None:
            raise Refused(
                "release-unknown",
                f"No release is called '{name}'.",
                "List what exists with: manage.py releases",
            )
        return found


class Release(models.Model):
    """An immutable set of files, named by time and by the digest of its manifest.

    `pages` holds the release's artifact for each surface it contains, as written in the manifest:
    what a switch checks and probes, however many files there are.
    """

    name = models.CharField(max_length=24, unique=True)
    digest = models.CharField(max_length=64, unique=True)
    files = models.PositiveIntegerField()
    bytes = models.PositiveBigIntegerField()
    pages = models.JSONField(default=dict)
    message = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.CharField(max_length=150)
    completed_at = models.DateTimeField(null=True, blank=True)

    objects = ReleaseQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return self.name

    def key(self, path: str) -> str:
        """Name the object that holds one of the release's documents."""
        return f"releases/{self.name}/{path}"


class FunctionVersion(models.Model):
    """The source of an edge function, kept because AWS keeps no history of sources."""

    digest = models.CharField(max_length=64, unique=True)
    source = models.TextField()
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.CharField(max_length=150)

    def __str__(self) -> str:
        return self.digest[:12]


class DeploymentQuerySet(AppendOnlyQuerySet):
    def succeeded(self) -> "DeploymentQuerySet":
        """Deployments after which the environment served what they name."""
        return self.filter(outcome__result=Outcome.Result.SUCCEEDED)

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

    environment = models.ForeignKey(Environment, models.PROTECT, related_name="deployments")
    release = models.ForeignKey(Release, models.PROTECT, related_name="deployments")
    previous = models.ForeignKey(Release, models.PROTECT, null=True, related_name="+")
    function = models.ForeignKey(FunctionVersion, models.PROTECT, related_name="deployments")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    strategy = models.CharField(
        max_length=10, choices=Strategy.choices, default=Strategy.POINTER, editable=False
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
