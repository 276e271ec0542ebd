"""What every installation has: two environments.

They have the hosts of a development machine, and are created after every migration, and so after a
flush; existing ones are left as they are.
"""

from typing import Any

from django.db import connections

from deployments.models import Environment

ENVIRONMENTS: dict[str, dict[str, Any]] = {
    "staging": {"hosts": ["staging.localhost"], "protected": False, "noindex": True},
    "production": {"hosts": ["localhost", "127.0.0.1"], "protected": True},
}
OPERATORS = "Operators"


def create_environments(*, using: str, **kwargs: Any) -> None:
    """Create missing environments. A receiver of post_migrate."""
    # The migration may be one back to before the table.
    if Environment._meta.db_table not in connections[using].introspection.table_names():
        return
    for name, fields in ENVIRONMENTS.items():
        Environment.every.using(using).get_or_create(name=name, defaults=fields)
