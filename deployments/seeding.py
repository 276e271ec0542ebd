"""The two environments every installation has, with the hosts of a development machine.

Run after every migration, and so after a flush; what an operator changed stays.
"""

from typing import Any

from django.db import connections

from deployments.models import Environment

ENVIRONMENTS: dict[str, dict[str, Any]] = {
    "staging": {"hosts": ["staging.localhost"], "protected": False},
    "production": {"hosts": ["localhost", "127.0.0.1"], "protected": True},
}


def create_environments(*, using: str, **kwargs: Any) -> None:
    """Create the environments that are missing. A receiver of post_migrate."""
    # Somebody may be migrating back to before the table.
    if Environment._meta.db_table not in connections[using].introspection.table_names():
        return
    for name, fields in ENVIRONMENTS.items():
        Environment.objects.using(using).get_or_create(name=name, defaults=fields)
