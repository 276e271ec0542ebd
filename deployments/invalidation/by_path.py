"""Dropping cached paths because an operator asks for it, as viewers know the paths.

Where the edge function runs, a page is cached under the path it was rewritten to, with the release
in it; so that is what is dropped. By copy it is cached under each address viewers asked for.
"""

import secrets
from collections.abc import Sequence
from urllib.parse import unquote

from deployments.context import DeployContext
from deployments.errors import Refused
from deployments.invalidation.fold import address, addresses, narrowed
from deployments.invalidation.send import CachePaths, invalidate
from deployments.models import Environment, Release, Strategy
from deployments.releases.manifest import page_path
from deployments.releases.store import read_manifest
from edge import limits
from edge.errors import LimitExceeded
from edge.protocols import ObjectStore

# Paths in the store that the function leaves as they are, or that only the edge itself asks for.
STORED = ("/assets/", "/errors/", "/jobs/", "/releases/", "/.well-known/")


def plan_request(objects: ObjectStore, environment: Environment, paths: list[str]) -> CachePaths:
    """Find what each distribution drops. Raises Refused, EdgeError."""
    for path in paths:
        _check(path)
    cached = _Cached(environment, _live(environment), objects)
    entries = {}
    for distribution, patterns in environment.caches.items():
        routed = [one for path in paths for one in cached.routed(path, patterns)]
        found = {entry for path in routed for entry in cached.under(path)}
        if found:
            entries[distribution] = sorted(found)
    if not entries:
        raise Refused(
            "not-routed",
            f"No distribution of {environment} routes {' '.join(paths)}.",
            "Its patterns: " + "; ".join(" ".join(p) or "all" for p in environment.caches.values()),
        )
    return CachePaths(environment, entries)


def drop(context: DeployContext, drops: CachePaths, *, actor: str) -> int:
    """Ask for it; tell how many paths. Raises Refused (nothing was sent), EdgeError."""
    try:
        for entries in drops.entries.values():
            limits.check_invalidation(entries)
    except LimitExceeded as error:
        raise Refused("too-many-paths", error.message, error.hint) from error
    return invalidate(context, drops, step=f"command-{secrets.token_hex(6)}", actor=actor)


def _check(path: str) -> None:
    if not path.startswith("/") or "*" in path[:-1] or not path.isascii() or not path.isprintable():
        raise Refused(
            "path-odd",
            f"{path!r} is no path to invalidate.",
            "Give paths as in the address bar, from the first slash on; '*' only at the end.",
        )


def _live(environment: Environment) -> Release:
    live = environment.live
    if live is None:
        raise Refused(
            "nothing-live",
            f"{environment} serves nothing that could be cached.",
            f"Push first: manage.py push --to {environment}",
        )
    return live.release


class _Cached:
    """Knows under which paths the caches of an environment hold what viewers ask for."""

    def __init__(self, environment: Environment, release: Release, objects: ObjectStore) -> None:
        self._by_copy = environment.strategy == Strategy.COPY
        self._root = f"/releases/{release}"
        self._files = read_manifest(objects, release).by_path

    def routed(self, path: str, patterns: Sequence[str]) -> list[str]:
        """Narrow a path to what a distribution with these patterns routes."""
        return [path] if self._is_stored(path) else narrowed(path, patterns)

    def under(self, path: str) -> list[str]:
        """List what a routed path is cached under. Raises Refused."""
        if self._is_stored(path) or path == "/*":
            return [path]
        if path.endswith("*"):
            return [path if self._by_copy else self._root + path]
        file = self._file(path)
        if self._by_copy:
            return addresses(file) if file else [path]
        if file is None:
            raise Refused(
                "no-file",
                f"No file of the live release answers {path}.",
                "Name a page or file of the release; tracking documents are /jobs/*.",
            )
        return [self._root + address(file)]

    def _is_stored(self, path: str) -> bool:
        return not self._by_copy and path.startswith(STORED)

    def _file(self, path: str) -> str | None:
        """Find the file of the release that answers a path, or None."""
        plain = unquote(path)
        return next((n for n in (plain.lstrip("/"), page_path(plain)) if n in self._files), None)
