"""System checks of the edge's settings. Each back end has its own in its `configuration`."""

from typing import Any

from django.core.checks import CheckMessage, Error

from edge.backends import check_backend_settings
from edge.errors import EdgeError


def check_settings(**kwargs: Any) -> list[CheckMessage]:
    """Check the choice of a back end and its settings."""
    try:
        return check_backend_settings()
    except EdgeError as unknown:
        return [Error(unknown.message, hint=unknown.hint, id="edge.E001")]
