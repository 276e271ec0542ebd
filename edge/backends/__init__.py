"""The registry of back ends.

A back end is a package with two modules. `backend` has `make_backend()`, which returns a Backend
made from the settings. `configuration` has `check_settings()`, which returns the messages of the
system checks, and `has_local_edge()`: whether a local edge answers viewers. It imports no client
library, so that checks and the web server need none.
"""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage
from django.utils.module_loading import import_string

from edge.errors import EdgeError
from edge.protocols import Backend

# Each package by the value of EDGE_BACKEND that selects it.
BACKENDS = {
    "local": "edge.backends.local",
    "aws": "edge.backends.aws",
}


def get_backend() -> Backend:
    """Return the back end that the settings name. Raises EdgeError if it is unknown."""
    backend: Backend = _load("backend.make_backend")()
    return backend


def has_local_edge() -> bool:
    """Whether a local edge answers viewers. Raises EdgeError for an unknown back end."""
    return bool(_load("configuration.has_local_edge")())


def check_backend_settings() -> list[CheckMessage]:
    """Check the settings of the back end. Raises EdgeError if it is unknown."""
    messages: list[CheckMessage] = _load("configuration.check_settings")()
    return messages


def _load(name: str) -> Any:
    package = BACKENDS.get(settings.EDGE_BACKEND)
    if package is None:
        expected = " or ".join(f"'{name}'" for name in BACKENDS)
        raise EdgeError(
            f"Expected EDGE_BACKEND to be {expected}, found {settings.EDGE_BACKEND!r}.",
            "Leave EDGE_BACKEND unset for the local back end.",
        )
    return import_string(f"{package}.{name}")
