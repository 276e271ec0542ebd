"""Puts the local edge in front of a WSGI application, as the settings say."""

from collections.abc import Callable, Mapping
from typing import Any

from django.conf import settings

from edge.backends import get_backend, has_local_edge
from edge.serving.snapshot import SnapshotHealth
from edge.serving.snapshot_file import SnapshotFile
from edge.serving.wsgi import SNAPSHOT_HEALTH, Application, LocalEdge


def in_front_of(application: Application) -> Application:
    """Put the local edge in front of an application, unless a CDN answers viewers.

    Sends nothing to the back end: the first request does.
    """
    if not has_local_edge():
        # The back end is not even made, so its faults cannot stop the application from starting.
        return application
    backend = get_backend()
    assert backend.read_snapshot is not None  # noqa: S101 - has_local_edge() says so
    return LocalEdge(
        application,
        objects=backend.objects,
        read_snapshot=backend.read_snapshot,
        refresh_seconds=settings.EDGE_REFRESH_SECONDS,
        # Without a local cache no snapshot reports invalidations, so nothing may be kept.
        cache_bytes=settings.EDGE_CACHE_BYTES if backend.has_local_cache else 0,
        secure_header=settings.SECURE_PROXY_SSL_HEADER,
        trusted_proxies=settings.TRUSTED_PROXIES,
        # Elsewhere the objects are away too when the back end does not answer.
        snapshot_file=SnapshotFile(settings.EDGE_SNAPSHOT_FILE)
        if backend.has_local_cache
        else None,
    )


def snapshot_health(environ: Mapping[str, Any]) -> SnapshotHealth | None:
    """Return how current the local edge's routing is; None if there is none in front.

    `environ` is a request's WSGI environ: `request.META` in Django.
    """
    health: Callable[[], SnapshotHealth] | None = environ.get(SNAPSHOT_HEALTH)
    return health() if health else None
