"""Back ends: the choice between them."""

from pathlib import Path

from django.conf import settings

from edge.errors import EdgeError
from edge.protocols import Backend


def get_backend() -> Backend:
    """Give the back end the settings name. Raises EdgeError for one that is not there."""
    if settings.EDGE_BACKEND == "local":
        # Imported here, because its models need the app registry.
        from edge.backends.local.backend import local_backend  # noqa: PLC0415

        return local_backend(Path(settings.EDGE_STORE_DIR))
    if settings.EDGE_BACKEND == "aws":
        # Imported here, because boto3 takes its time and the local back end needs none of it.
        from edge.backends.aws.backend import aws_backend  # noqa: PLC0415

        return aws_backend(
            bucket=settings.EDGE_BUCKET,
            key_value_store=settings.EDGE_KEY_VALUE_STORE,
            viewer_url=settings.EDGE_VIEWER_URL,
            local_viewer=settings.EDGE_LOCAL_VIEWER,
        )
    raise EdgeError(
        f"Expected EDGE_BACKEND to be 'local' or 'aws', found {settings.EDGE_BACKEND!r}.",
        "Leave EDGE_BACKEND unset for the local back end.",
    )
