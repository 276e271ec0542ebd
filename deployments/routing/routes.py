"""Reading and switching an environment's routing documents, with If-Match."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from deployments.errors import ChangedMeanwhile
from deployments.models import Environment
from deployments.routing.preview_hosts import is_preview_key
from edge.errors import StaleEtag
from edge.protocols import KeyValueStore
from edge.routing import PREVIEW_KEY, RoutingDocument, routing_keys

# Environments share the store, so their writes make our ETag stale without affecting our keys.
ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class Route:
    """The values of an environment's routing keys at one moment.

    `values` has its own keys, `stale` the keys of hosts it no longer has. `has_secret`: the store
    has the secret that signs previews, which every update writes if it is missing.
    """

    values: dict[str, str | None]
    stale: frozenset[str] = frozenset()
    has_secret: bool = field(default=True, compare=False)

    @property
    def document(self) -> RoutingDocument | None:
        """The first routing document that can be read, since any of them may be lost; or None."""
        return next(filter(None, map(self.document_of, self.values)), None)

    def document_of(self, key: str) -> RoutingDocument | None:
        """Return a key's document; None if it is missing or cannot be read."""
        return read_document(self.values[key])

    def release_of(self, key: str) -> str:
        """Return the release in a key's document, or an empty string."""
        document = self.document_of(key)
        return document.release if document else ""

    @property
    def agrees(self) -> bool:
        """Whether every key has the same document, and no stale key is left."""
        return len(set(self.values.values())) == 1 and not self.stale


def read_route(store: KeyValueStore, environment: Environment) -> Route:
    """Read every routing key of an environment, including those of hosts it no longer has."""
    return _route(store.items(), environment)


def write_route(
    store: KeyValueStore, environment: Environment, *, seen: Route, wanted: Route
) -> None:
    """Replace `seen` with `wanted` in one all-or-nothing update.

    On a stale ETag, the keys are read and compared again. Raises ChangedMeanwhile if the
    environment's own keys no longer match `seen`.
    """
    for _ in range(ATTEMPTS):
        etag, items = store.etag(), store.items()  # in this order: a later write makes it stale
        if _route(items, environment) != seen:
            break
        puts = {key: value for key, value in wanted.values.items() if value is not None}
        deletes = [key for key, value in seen.values.items() if value and key not in puts]
        deletes += seen.stale
        if not items.get(PREVIEW_KEY):
            puts[PREVIEW_KEY] = secrets.token_urlsafe(32)
        try:
            store.update(puts=puts, deletes=deletes, if_match=etag)
        except StaleEtag:
            continue
        return
    raise ChangedMeanwhile(
        "route-changed",
        f"The routing documents of {environment} were changed by another run.",
        "Check them with: manage.py status, then run the command again.",
    )


def route_to(environment: Environment, document: RoutingDocument) -> Route:
    """Return the values of an environment's routing keys for a document."""
    keys = routing_keys(environment.name, environment.hosts)
    return Route(dict.fromkeys(keys, as_served(environment, document).to_json()))


def as_served(environment: Environment, document: RoutingDocument) -> RoutingDocument:
    """Return a document with the environment's canonical host and access."""
    return replace(document, canonical=environment.canonical, access=environment.gate)


def _route(items: Mapping[str, str], environment: Environment) -> Route:
    keys = routing_keys(environment.name, environment.hosts)
    stale = {
        key
        for key, text in items.items()
        if key.startswith("host:")
        and key not in keys
        and not is_preview_key(key)
        and _names(text, environment)
    }
    values = {key: items.get(key) for key in keys}
    return Route(values, frozenset(stale), has_secret=bool(items.get(PREVIEW_KEY)))


def read_document(text: str | None) -> RoutingDocument | None:
    """Return a stored routing document; None if it is missing or cannot be read."""
    try:
        return RoutingDocument.from_json(text) if text else None
    except (ValueError, KeyError, TypeError):
        return None


def _names(text: str, environment: Environment) -> bool:
    document = read_document(text)
    return document is not None and document.environment == environment.name
