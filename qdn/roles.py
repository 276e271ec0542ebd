"""Who may do what: the groups of users with their permissions, in one table.

docs/reference/roles.md shows it. The groups are created, and get what they lack, after every
migration: permissions exist only then, and tests that flush the database get them back.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.apps import AppConfig
from django.contrib.auth.models import Group, Permission
from django.db import connections

from deployments.seeding import OPERATORS
from dispatch.seeding import DISPATCHERS

OWNERS = "Owners"
# Model to what may be done with it: view, add, change, delete, or a permission of the model's own,
# by its full name. Never django_q: a user who can add a schedule can run any code.
# Never auth.
Powers = Mapping[str, tuple[str, ...]]
VERBS = ("view", "add", "change", "delete")
VIEW, WRITE = ("view",), ("view", "add", "change")

DISPATCHER: Powers = {
    "dispatch.job": WRITE,
    "dispatch.customer": WRITE,
    "dispatch.crew": WRITE,
    "dispatch.servicetype": VIEW,
    "dispatch.pricerule": VIEW,
    "dispatch.servedzip": VIEW,
    "dispatch.areainterest": VIEW,
    "dispatch.jobevent": VIEW,
    "dispatch.price": VIEW,
    "dispatch.photo": VIEW,
    "dispatch.textconsent": VIEW,
    "dispatch.servicewindow": VIEW,
    "dispatch.windowexception": WRITE,
    "dispatch.windowtemplate": VIEW,
    "dispatch.bookingsettings": VIEW,
    "notifications.message": ("view", "send_message_again"),
    "notifications.messagetemplate": WRITE,
    "notifications.optout": ("view", "add"),
}
OWNER: Powers = {
    **dict.fromkeys(DISPATCHER, VIEW),
    "dispatch.job": ("view", "export", "view_reports"),
    "dispatch.servicetype": WRITE,
    # Prices that have not begun can be taken back.
    "dispatch.pricerule": VERBS,
    "dispatch.servedzip": VERBS,
    # With it, views are saved for all.
    "dispatch.savedview": VERBS,
}
OPERATOR: Powers = {
    "deployments.environment": ("view", "deploy_to_staging", "deploy_to_production"),
    "deployments.release": VIEW,
    "deployments.deployment": VIEW,
}


@dataclass(frozen=True)
class Role:
    """A group of users. With `topped_up` it gets back what was removed from it."""

    group: str
    powers: Powers
    topped_up: bool = True

    def codenames(self, app: str) -> Iterator[str]:
        """Iterate over the permissions of an app that the role has."""
        for model, names in self.powers.items():
            label, _, name = model.partition(".")
            if label == app:
                yield from (f"{one}_{name}" if one in VERBS else one for one in names)


ROLES = (
    Role(DISPATCHERS, DISPATCHER),
    Role(OWNERS, OWNER),
    # A permission may have been removed on purpose: not everyone may deploy to production.
    Role(OPERATORS, OPERATOR, topped_up=False),
)
# Whose permissions the table names.
APPS = sorted({model.partition(".")[0] for role in ROLES for model in role.powers})


def grant(*, app_config: AppConfig, using: str, **kwargs: Any) -> None:
    """Give each group the permissions of an app. A receiver of the app's post_migrate."""
    # The migration may be one back to before the tables.
    if Group._meta.db_table not in connections[using].introspection.table_names():
        return
    for role in ROLES:
        wanted = list(role.codenames(app_config.label))
        found = Permission.objects.using(using).filter(
            content_type__app_label=app_config.label, codename__in=wanted
        )
        if wanted and len(found) == len(wanted):
            group, is_new = Group.objects.using(using).get_or_create(name=role.group)
            if is_new or role.topped_up:
                group.permissions.add(*found)
