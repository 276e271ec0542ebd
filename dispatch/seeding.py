"""The rows a fresh database starts with: job counter, services and the Dispatchers group.

This runs after every `migrate` instead of as a data migration, because permissions exist only
after migrations have run, and because tests that flush the database get the rows back. It never
overwrites anyone's changes: services are added only when there are none.
"""

from typing import Any

from django.contrib.auth.models import Group, Permission
from django.db import connections

from dispatch.models import Counter, ServiceType
from dispatch.statuses import ServiceKind

DISPATCHERS = "Dispatchers"
SERVICES = [
    ("junk", "Junk removal", ServiceKind.HAUL, "We load it, haul it and sweep up."),
    (
        "dumpster-10",
        "10-yard dumpster",
        ServiceKind.DUMPSTER,
        "For a garage or one room: about three pickup loads.",
    ),
    (
        "dumpster-20",
        "20-yard dumpster",
        ServiceKind.DUMPSTER,
        "For a remodel or a whole house: about six pickup loads.",
    ),
    (
        "cleanout",
        "Estate & garage cleanout",
        ServiceKind.HAUL,
        "A house, garage or storage unit emptied in one visit.",
    ),
]
# Everything dispatchers may do. Never django_q: its schedules can run any code.
PERMISSIONS = {
    "job": ["view", "add", "change"],
    "customer": ["view", "add", "change"],
    "crew": ["view", "add", "change"],
    "servicetype": ["view"],
    "jobevent": ["view"],
    "price": ["view"],
    "textconsent": ["view"],
}


def seed(using: str = "default", **kwargs: Any) -> None:
    """Add missing rows. Receives post_migrate, which passes more arguments."""
    connection = connections[using]
    if Counter._meta.db_table not in connection.introspection.table_names():
        return  # after `migrate dispatch zero`, or when another app migrated first
    Counter.objects.using(using).get_or_create(name="job", defaults={"value": 1000})
    _seed_services(using)
    _seed_dispatchers(using)


def _seed_services(using: str) -> None:
    services = ServiceType.objects.using(using)
    if services.exists():
        return
    services.bulk_create(
        ServiceType(code=code, name=name, kind=kind, description=description, position=position)
        for position, (code, name, kind, description) in enumerate(SERVICES)
    )


def _seed_dispatchers(using: str) -> None:
    group, _ = Group.objects.using(using).get_or_create(name=DISPATCHERS)
    codenames = [f"{verb}_{model}" for model, verbs in PERMISSIONS.items() for verb in verbs]
    group.permissions.add(
        *Permission.objects.using(using).filter(
            content_type__app_label="dispatch", codename__in=codenames
        )
    )
