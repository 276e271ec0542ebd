"""Writing entries of the key-value store that no other run writes."""

from collections.abc import Iterable, Mapping

from deployments.errors import ChangedMeanwhile
from edge.errors import StaleEtag
from edge.protocols import KeyValueStore

# Other runs write to the same store, so its ETag may be stale several times.
ATTEMPTS = 10


def update_keys(
    store: KeyValueStore, *, puts: Mapping[str, str] | None = None, deletes: Iterable[str] = ()
) -> None:
    """Write and delete entries in one update, while others may change theirs.

    Raises ChangedMeanwhile, EdgeError.
    """
    gone = list(deletes)
    for _ in range(ATTEMPTS):
        try:
            store.update(puts=puts or {}, deletes=gone, if_match=store.etag())
        except StaleEtag:
            continue
        return
    raise ChangedMeanwhile(
        "route-changed",
        "The key-value store changed again and again while entries were written.",
        "Wait until other deployments are done, then run the command again.",
    )
