"""What a fresh database starts with: the job counter, the services, the Dispatchers group.

This runs after every `migrate` and not as a data migration: permissions exist only after
migrations have run, and a test that flushes the database gets its rows back this way. Nothing
that people changed is overwritten: services are added only while there is none at all.
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
# Everything a dispatcher may do. Nothing of django_q: a schedule there can run any code.
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
    """Add what is missing. Connected to post_migrate, which passes more arguments than used."""
    connection = connections[using]
    if Counter._meta.db_table not in connection.introspection.table_names():
        return  # `migrate dispatch zero`, or another app migrated first
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
