"""Reads the local back end's rows into snapshots."""

from django.db import Error, connections

from edge.backends.local.rows import EMPTY_ETAG
from edge.errors import BackendUnavailable
from edge.models import EdgeState, FunctionStage, Invalidation, KeyValue
from edge.protocols import Snapshot
from edge.serving.host_functions import functions_by_host


def read_snapshot(known: Snapshot) -> Snapshot:
    """Return a newer snapshot, or `known` if nothing changed, after one query.

    Raises BackendUnavailable.
    """
    _close_old_connections()
    try:
        return _read(known)
    except Error as error:  # DatabaseError, and InterfaceError of a lost connection
        raise BackendUnavailable(
            f"The database did not return the edge's state: {type(error).__name__}.",
            "Check DATABASE_URL, and run `manage.py migrate`.",
        ) from error
    finally:
        _close_old_connections()


def _close_old_connections() -> None:
    """Do what Django does around a request, because the edge runs outside that cycle.

    A connection inside a transaction belongs to a caller, whose work would be lost.
    """
    for connection in connections.all(initialized_only=True):
        if not connection.in_atomic_block:
            connection.close_if_unusable_or_obsolete()


def _read(known: Snapshot) -> Snapshot:
    state = EdgeState.objects.values_list("etag", "published", "invalidated").first()
    etag, published, invalidated = state or (EMPTY_ETAG, 0, 0)
    if (etag, published, invalidated) == (known.etag, known.published, known.invalidated):
        return known
    # These may be newer than the state read above. Then the next call finds another state and
    # reads them again.
    keyvalues, functions = known.keyvalues, known.functions
    if etag != known.etag:
        keyvalues = dict(KeyValue.objects.values_list("key", "value"))
    if published != known.published:
        live = FunctionStage.objects.filter(stage=FunctionStage.Stage.LIVE)
        functions = dict(live.values_list("name", "source"))
    return Snapshot(
        etag=etag,
        published=published,
        invalidated=invalidated,
        keyvalues=keyvalues,
        functions=functions,
        hosts=functions_by_host(keyvalues, functions),
        dropped=_dropped(known, invalidated),
    )


def _dropped(known: Snapshot, until: int) -> list[str]:
    """Return the paths invalidated since `known`; a new process has an empty cache."""
    if known.invalidated < 0 or known.invalidated == until:
        return []
    rows = Invalidation.objects.filter(number__gt=known.invalidated, number__lte=until)
    return [path for paths in rows.values_list("paths", flat=True) for path in paths]
