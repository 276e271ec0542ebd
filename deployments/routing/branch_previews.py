"""The routing documents of branch previews, which follow their rows.

A push changes the row first, then settles its key: it reads the store's ETag, then the row, and
writes with If-Match. So of two pushes at once the row recorded last decides, even if the other one
writes the key last, and no lock is held.
"""

from collections.abc import Collection, Mapping
from itertools import islice

from deployments.errors import ChangedMeanwhile
from deployments.models import BranchPreview, Environment
from deployments.routing.preview_hosts import is_preview_key, preview_key
from edge.errors import StaleEtag
from edge.protocols import Backend
from edge.routing import RoutingDocument, routing_keys

# Other runs write to the same store, so an ETag may be stale several times.
ATTEMPTS = 20


def preview_document(preview: BranchPreview) -> RoutingDocument:
    """Return what the edge function reads for a preview's host.

    It lets in who the environment lets in, and does not lead to the environment's canonical host.
    """
    environment, release = preview.environment, preview.release
    return RoutingDocument(
        environment.name, release.name, site=release.site, access=environment.gate
    )


def wanted_keys() -> dict[str, str]:
    """Return the routing documents of all previews, as their rows say, by key."""
    rows = BranchPreview.objects.select_related("environment", "release")
    return {preview_key(one.slug): preview_document(one).to_json() for one in rows}


def differing_keys(items: Mapping[str, str]) -> dict[str, str | None]:
    """Return the keys of previews that differ from the rows, and what they should hold.

    None is for a key below PREVIEW_DOMAIN without a preview and without an environment.
    """
    wanted, taken = wanted_keys(), environment_keys()
    unknown = [one for one in items if is_preview_key(one) and one not in wanted]
    return {
        **{key: value for key, value in wanted.items() if items.get(key) != value},
        **{key: None for key in unknown if key not in taken},
    }


def environment_keys() -> set[str]:
    """Return the routing keys of all environments."""
    return {key for one in Environment.objects.all() for key in routing_keys(one.name, one.hosts)}


def settle(backend: Backend, slugs: Collection[str] | None = None) -> list[str]:
    """Make the keys of some previews, or of all, what their rows say; return those that differed.

    Returns once the store holds them. Raises ChangedMeanwhile, EdgeError.
    """
    changed: list[str] = []
    store, stale = backend.keyvalues, 0
    keys = None if slugs is None else set(map(preview_key, slugs))
    while stale < ATTEMPTS:
        etag, items = store.etag(), store.items()  # before the rows: a later write makes it stale
        found = {
            key: value
            for key, value in differing_keys(items).items()
            if keys is None or key in keys
        }
        if not found:
            return sorted(set(changed))
        batch = dict(islice(found.items(), backend.limits.update_keys))
        puts = {key: value for key, value in batch.items() if value is not None}
        try:
            store.update(puts=puts, deletes=batch.keys() - puts.keys(), if_match=etag)
        except StaleEtag:
            stale += 1
        else:
            changed += batch
    raise ChangedMeanwhile(
        "route-changed",
        "The key-value store kept changing while a preview was written.",
        "Wait until other deployments are done. Then run: manage.py previews --repair",
    )
