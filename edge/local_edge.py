"""Fits the local edge to Django: settings and the local back end."""

from django.conf import settings

from edge.backends.folder import FolderStore
from edge.backends.state import read_snapshot
from edge.wsgi import Application, LocalEdge


def in_front_of(application: Application) -> Application:
    """Put the local edge in front of an application where EDGE_BACKEND is `local`.

    Runs no query: the first request does.
    """
    if settings.EDGE_BACKEND != "local":
        return application
    return LocalEdge(
        application,
        objects=FolderStore(settings.EDGE_STORE_DIR),
        read_snapshot=read_snapshot,
        refresh_seconds=settings.EDGE_REFRESH_SECONDS,
        cache_bytes=settings.EDGE_CACHE_BYTES,
        secure_header=settings.SECURE_PROXY_SSL_HEADER,
    )
