"""Fits the local edge to Django: settings and the back end."""

from collections.abc import Callable

from django.conf import settings

from edge.backends import get_backend
from edge.protocols import ObjectStore
from edge.serving.snapshot import Snapshot
from edge.serving.wsgi import Application, LocalEdge


def in_front_of(application: Application) -> Application:
    """Put the local edge in front of an application, unless CloudFront stands there.

    It does with EDGE_BACKEND `aws`, but for EDGE_LOCAL_VIEWER. Asks nothing of the back end: the
    first request does.
    """
    if settings.EDGE_BACKEND == "local":
        objects, read_snapshot = _local_parts()
        cache_bytes = settings.EDGE_CACHE_BYTES
    elif settings.EDGE_LOCAL_VIEWER:
        objects, read_snapshot = _aws_parts()
        cache_bytes = 0  # nothing tells this edge of invalidations
    else:
        return application
    return LocalEdge(
        application,
        objects=objects,
        read_snapshot=read_snapshot,
        refresh_seconds=settings.EDGE_REFRESH_SECONDS,
        cache_bytes=cache_bytes,
        secure_header=settings.SECURE_PROXY_SSL_HEADER,
    )


def _local_parts() -> tuple[ObjectStore, Callable[[Snapshot], Snapshot]]:
    from edge.backends.local.snapshot import read_snapshot  # noqa: PLC0415 - needs the app registry

    return get_backend().objects, read_snapshot


def _aws_parts() -> tuple[ObjectStore, Callable[[Snapshot], Snapshot]]:
    from edge.backends.aws.snapshot import AwsSnapshots  # noqa: PLC0415 - for aws alone

    backend = get_backend()
    return backend.objects, AwsSnapshots(backend).read
