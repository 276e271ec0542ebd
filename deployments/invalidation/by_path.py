"""Invalidates paths that an operator names, as viewers know them.

With the edge function a page is cached under the path it was rewritten to, which contains the
release, so that path is invalidated. With the copy strategy it is cached under every address that
viewers requested.
"""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import unquote

from deployments.context import Caller, DeployContext
from deployments.errors import Refused
from deployments.invalidation.fold import address, addresses, narrowed
from deployments.invalidation.send import CachePaths, cost_of, invalidate
from deployments.models import Environment, Release
from deployments.releases.manifest import page_path
from deployments.releases.store import read_manifest
from edge.errors import LimitExceeded
from edge.protocols import Backend, ObjectStore

# Paths in the store that the function does not rewrite, or that only the edge itself requests.
STORED = ("/assets/", "/errors/", "/jobs/", "/releases/")


@dataclass(frozen=True, slots=True)
class Invalidated:
    """What was invalidated: the paths of each distribution, their cost as text, and how many."""

    drops: CachePaths
    cost: str
    count: int


def plan_request(backend: Backend, environment: Environment, paths: list[str]) -> CachePaths:
    """Return the paths that each distribution drops. Raises Refused, EdgeError."""
    for path in paths:
        _check(path)
    cached = _Cached(environment, _live(environment), backend.objects)
    caches, entries = environment.caches(backend), {}
    for distribution, patterns in caches.items():
        routed = [one for path in paths for one in cached.routed(path, patterns)]
        found = {entry for path in routed for entry in cached.under(path)}
        if found:
            entries[distribution] = sorted(found)
    if not entries:
        raise Refused(
            "not-routed",
            f"No distribution of {environment} routes {' '.join(paths)}.",
            "Its patterns: "
            + "; ".join(" ".join(patterns) or "all" for patterns in caches.values()),
        )
    return CachePaths(environment, entries)


def invalidate_paths(
    backend: Backend,
    environment: Environment,
    paths: list[str],
    *,
    caller: Caller,
    dry_run: bool = False,
) -> Invalidated:
    """Invalidate paths once the caller has agreed. Needs no lock, since nothing is switched.

    Raises Refused (nothing was sent), EdgeError.
    """
    drops = plan_request(backend, environment, paths)
    cost = cost_of(backend.pricing, drops.paths)
    for line in drops.lines():
        caller.say(f"Invalidate in {line}")
    if dry_run:
        return Invalidated(drops, cost, 0)
    caller.ask(environment, f"Invalidate them in {environment}?")
    caller.reached("Requests sent before the failure stay in effect.")
    return Invalidated(drops, cost, drop(backend, drops, actor=caller.actor, say=caller.say))


def drop(backend: Backend, drops: CachePaths, *, actor: str, say: Callable[[str], None]) -> int:
    """Invalidate paths; return how many.

    Raises Refused (nothing was sent), EdgeError.
    """
    try:
        for entries in drops.entries.values():
            backend.limits.check_invalidation(entries)
    except LimitExceeded as error:
        raise Refused("too-many-paths", error.message, error.hint) from error
    context = DeployContext(backend, say, keep_lock=lambda: None)
    return invalidate(context, drops, step=f"command-{secrets.token_hex(6)}", actor=actor)


def _check(path: str) -> None:
    if not path.startswith("/") or "*" in path[:-1] or not path.isascii() or not path.isprintable():
        raise Refused(
            "path-odd",
            f"Expected a path to invalidate, found {path!r}.",
            "Use paths as in the address bar, from the first slash; '*' only at the end.",
        )


def _live(environment: Environment) -> Release:
    live = environment.live
    if live is None:
        raise Refused(
            "nothing-live",
            f"{environment} serves no release, so nothing is cached.",
            f"Push first: manage.py push --to {environment}",
        )
    return live.release


class _Cached:
    """The paths under which the caches of an environment hold what viewers request."""

    def __init__(self, environment: Environment, release: Release, objects: ObjectStore) -> None:
        self._by_copy = not environment.runs_function
        self._root = f"/releases/{release}"
        self._files = read_manifest(objects, release).by_path

    def routed(self, path: str, patterns: Sequence[str]) -> list[str]:
        """Return the part of a path that a distribution with these patterns routes."""
        return [path] if self._is_stored(path) else narrowed(path, patterns)

    def under(self, path: str) -> list[str]:
        """Return the paths under which a routed path is cached. Raises Refused."""
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
                f"The live release has no file for {path}.",
                "Use a page or file of the release; tracking documents are /jobs/*.",
            )
        return [self._root + address(file)]

    def _is_stored(self, path: str) -> bool:
        return not self._by_copy and path.startswith(STORED)

    def _file(self, path: str) -> str | None:
        """Return the file of the release that answers a path, or None."""
        plain = unquote(path)
        return next((n for n in (plain.lstrip("/"), page_path(plain)) if n in self._files), None)
