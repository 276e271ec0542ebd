"""Losing the history, and reading it to compare it with the restored one."""

from deployments.models import (
    Deployment,
    Distribution,
    Environment,
    Freeze,
    FunctionVersion,
    Invalidation,
    Outcome,
    Release,
)
from deployments.seeding import create_environments


def lose_history():
    """Empty the tables as in a new database; the edge keeps everything."""
    for model in (
        Outcome,
        Freeze,
        Invalidation,
        Deployment,
        Release,
        FunctionVersion,
        Distribution,
        Environment,
    ):
        rows = model.objects.all()
        rows._raw_delete(rows.db)
    create_environments(using="default")


def rows():
    """Return all rows of the history, without their keys except the deployments' numbers."""
    deployments = Deployment.objects.order_by("pk").values(
        "pk", "environment__name", "release__name", "replaced__name", "function__digest", "kind",
        "percent", "strategy", "actor", "reason", "at", "outcome__result", "outcome__detail",
        "outcome__at",
    )  # fmt: skip
    releases = Release.objects.order_by("pk").values(
        "name", "digest", "files", "bytes", "pages", "message", "created_at", "created_by", "pinned"
    )
    functions = FunctionVersion.objects.order_by("digest").values("digest", "source")
    environments = Environment.objects.order_by("name").values(
        "name", "hosts", "protected", "strategy", "distributions__remote_id", "distributions__paths"
    )
    return [list(found) for found in (deployments, releases, functions, environments)]
