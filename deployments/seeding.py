"""What every installation has: two environments, with the hosts of a development machine, and a
group of those who deploy from the admin.

Run after every migration, and so after a flush; what an operator changed stays.
"""

from typing import Any

from django.contrib.auth.models import Group, Permission
from django.db import connections
from django_q.models import Schedule

from deployments.models import Environment

ENVIRONMENTS: dict[str, dict[str, Any]] = {
    "staging": {"hosts": ["staging.localhost"], "protected": False},
    "production": {"hosts": ["localhost", "127.0.0.1"], "protected": True},
}
OPERATORS = "Operators"
# Nothing of django_q: whoever may add a schedule can run any code.
PERMISSIONS = (
    "view_environment",
    "view_release",
    "view_deployment",
    "deploy_to_staging",
    "deploy_to_production",
)
PRUNE = "deployments.retention.task.prune_daily"
SCHEDULE = "Remove old releases"


def create_environments(*, using: str, **kwargs: Any) -> None:
    """Create the environments that are missing. A receiver of post_migrate."""
    # Somebody may be migrating back to before the table.
    if Environment._meta.db_table not in connections[using].introspection.table_names():
        return
    for name, fields in ENVIRONMENTS.items():
        Environment.objects.using(using).get_or_create(name=name, defaults=fields)


def create_operators(*, using: str, **kwargs: Any) -> None:
    """Create the group of operators where it is missing. A receiver of post_migrate.

    A group that is there keeps the permissions it has: somebody may have taken one away.
    """
    if Group._meta.db_table not in connections[using].introspection.table_names():
        return
    ours = Permission.objects.using(using).filter(
        content_type__app_label="deployments", codename__in=PERMISSIONS
    )
    if len(ours) == len(PERMISSIONS):
        group, is_new = Group.objects.using(using).get_or_create(name=OPERATORS)
        if is_new:
            group.permissions.set(ours)


def ensure_schedule(*, using: str = "default", **kwargs: Any) -> None:
    """Ask for retention every day; the task looks whether PRUNE_SCHEDULED wants it.

    Connected to post_migrate, which passes more arguments than used.
    """
    if Schedule._meta.db_table not in connections[using].introspection.table_names():
        return  # `migrate deployments` on a database where the queue has no tables yet
    Schedule.objects.using(using).get_or_create(
        name=SCHEDULE,
        defaults={"func": PRUNE, "schedule_type": Schedule.DAILY, "repeats": -1},
    )
