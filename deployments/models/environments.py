"""Environments and the distributions that serve them."""

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models

from deployments.errors import Refused

if TYPE_CHECKING:
    from deployments.models.deployments import Deployment
    from deployments.models.holds import Freeze, Maintenance


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

    def check_host(self) -> None:
        """Refuse where nobody could ask for the pages."""
        if not self.hosts:
            raise Refused(
                "no-host",
                f"{self} has no host, so nobody could ask for its pages.",
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
