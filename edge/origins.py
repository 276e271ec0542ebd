"""Hosts that bypass the edge function and serve the files below one prefix.

In AWS this is part of a distribution's configuration: an origin with an origin path. The local edge
reads it from the key-value store, key `origin:<hostname>`.
"""

from collections.abc import Iterable

from edge.protocols import KeyValueStore

ORIGIN_KEY = "origin:"
INDEX = "index.html"


class KeyValueOrigins:
    """The Origins of local edges: keys of the key-value store."""

    def __init__(self, store: KeyValueStore) -> None:
        self._store = store

    def prefix(self, host: str) -> str:
        return self._store.get(_key(host)) or ""

    def point(self, hosts: Iterable[str], prefix: str) -> None:
        etag = self._store.etag()
        keys = [_key(host) for host in hosts]
        if prefix:
            self._store.update(puts=dict.fromkeys(keys, prefix), if_match=etag)
        else:
            self._store.update(puts={}, deletes=keys, if_match=etag)


def _key(host: str) -> str:
    return ORIGIN_KEY + host.lower()
