"""Builds of commits, their logs, and the webhooks that asked for them."""

from datetime import timedelta

from django.db import models
from django.db.models import Q

from deployments.errors import Refused
from deployments.models import Release
from edge.database_clock import database_now


class BuildQuerySet(models.QuerySet["Build"]):
    def unfinished(self) -> "BuildQuerySet":
        """Builds that wait or run."""
        return self.filter(state__in=Build.OPEN)

    def ended(self) -> "BuildQuerySet":
        """Builds that have ended."""
        return self.exclude(state__in=Build.OPEN)

    def of_branch(self, build: "Build") -> "BuildQuerySet":
        """Builds of the same branch of the same repository, without this one."""
        same = self.filter(repository=build.repository, branch=build.branch)
        return same.exclude(pk=build.pk)

    def numbered(self, number: int) -> "Build":
        """Return a build. Raises Refused."""
        found = self.filter(pk=number).first() if number < 2**63 else None
        if found is None:
            raise Refused(
                "build-unknown",
                f"No build has the number {number}.",
                "List the builds that are kept with: manage.py builds",
            )
        return found


class Build(models.Model):
    """A commit of a branch, from its push to its release.

    A process on `host` runs it, which renews `alive_at`; before that, `host` is empty. `before` is
    the branch's commit before the push, empty if that is not known: when the branch has moved on,
    the build must not deploy. `is_queued`: a task carries it out. `folder` exists until the build
    has ended.
    """

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        BUILDING = "building", "Building"
        DEPLOYED = "deployed", "Deployed"
        FAILED = "failed", "Failed"
        CANCELLED = "cancelled", "Cancelled"
        SKIPPED = "skipped", "Skipped"
        INTERRUPTED = "interrupted", "Interrupted"

    OPEN = (State.WAITING, State.BUILDING)

    repository = models.CharField(max_length=300)
    branch = models.CharField(max_length=200)
    commit = models.CharField(max_length=64)
    before = models.CharField(max_length=64, blank=True, editable=False)
    author = models.CharField(max_length=200, blank=True)
    message = models.CharField(max_length=300, blank=True)
    actor = models.CharField(max_length=150)
    state = models.CharField(max_length=12, choices=State.choices, default=State.WAITING)
    detail = models.CharField(max_length=1000, blank=True)
    environment = models.CharField(max_length=100, blank=True)
    url = models.CharField(max_length=300, blank=True)
    release = models.ForeignKey(Release, models.PROTECT, null=True, related_name="builds")
    asked_at = models.DateTimeField(default=database_now, editable=False)
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    host = models.CharField(max_length=150, blank=True, editable=False)
    pid = models.PositiveIntegerField(default=0, editable=False)
    started = models.PositiveBigIntegerField(default=0, editable=False)
    alive_at = models.DateTimeField(null=True, editable=False)
    is_queued = models.BooleanField(default=False, editable=False)
    folder = models.CharField(max_length=300, blank=True, editable=False)

    objects = BuildQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                name="one_build_per_repository",
                fields=["repository"],
                condition=Q(state="building"),
            )
        ]

    def __str__(self) -> str:
        return f"build {self.pk} of {self.branch} ({self.commit[:10]})"

    @property
    def has_ended(self) -> bool:
        return self.state not in self.OPEN

    @property
    def lasted(self) -> timedelta | None:
        """How long it has been building, or took; None if it never began."""
        if self.started_at is None:
            return None
        return (self.ended_at or database_now()) - self.started_at

    @property
    def log(self) -> str:
        """The whole log as text."""
        return "".join(self.lines.values_list("text", flat=True))


class BuildLog(models.Model):
    """A piece of a build's log: a line of ours, or output of its command; in order."""

    class Kind(models.TextChoices):
        STEP = "step", "Step"
        OUTPUT = "output", "Output"
        FAULT = "fault", "Fault"

    build = models.ForeignKey(Build, models.CASCADE, related_name="lines")
    at = models.DateTimeField(default=database_now, editable=False)
    kind = models.CharField(max_length=8, choices=Kind.choices)
    text = models.TextField()

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return self.text[:80]


class Delivery(models.Model):
    """A webhook that was accepted: the same one is refused when it comes again.

    GitHub signs the body only, so its digest counts as much as the number of the delivery.
    """

    name = models.CharField(max_length=100, unique=True)
    sha256 = models.CharField(max_length=64, unique=True)
    at = models.DateTimeField(default=database_now, editable=False, db_index=True)

    class Meta:
        ordering = ["pk"]
        verbose_name_plural = "deliveries"

    def __str__(self) -> str:
        return self.name
