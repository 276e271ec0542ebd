"""Back ends: the choice between them."""

from pathlib import Path

from django.conf import settings

from edge.errors import EdgeError
from edge.protocols import Backend


def get_backend() -> Backend:
    """Give the back end the settings name. Raises EdgeError for one that is not there."""
    if settings.EDGE_BACKEND == "local":
        # Imported here, because its models need the app registry.
        from edge.backends.local import local_backend  # noqa: PLC0415

        return local_backend(Path(settings.EDGE_STORE_DIR))
    raise EdgeError(
        f"Expected EDGE_BACKEND to be 'local', found {settings.EDGE_BACKEND!r}.",
        "The aws back end is not part of this release.",
    )
