"""What every installation has: two environments, a group of operators and a daily schedule.

The environments have the hosts of a development machine. All are created after every migration, and
so after a flush; existing ones are left as they are.
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
# Nothing of django_q: a user who may add a schedule can run any code.
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
    """Create missing environments. A receiver of post_migrate."""
    # The migration may be one back to before the table.
    if Environment._meta.db_table not in connections[using].introspection.table_names():
        return
    for name, fields in ENVIRONMENTS.items():
        Environment.objects.using(using).get_or_create(name=name, defaults=fields)


def create_operators(*, using: str, **kwargs: Any) -> None:
    """Create the group of operators if it is missing. A receiver of post_migrate.

    An existing group keeps its permissions, since one may have been removed on purpose.
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
    """Schedule retention for every day; its task checks PRUNE_SCHEDULED.

    A receiver of post_migrate, which passes more arguments.
    """
    if Schedule._meta.db_table not in connections[using].introspection.table_names():
        return  # `migrate deployments` on a database where the queue has no tables yet
    Schedule.objects.using(using).get_or_create(
        name=SCHEDULE,
        defaults={"func": PRUNE, "schedule_type": Schedule.DAILY, "repeats": -1},
    )
