"""Paths to invalidate: one rule for every back end."""

from collections.abc import Iterable

from edge import limits
from edge.errors import EdgeError


def checked_paths(paths: Iterable[str]) -> list[str]:
    """Give the paths in order, each once. Raises EdgeError for an odd one, LimitExceeded."""
    wanted = sorted(set(paths))
    for path in wanted:
        if not path.startswith("/") or "*" in path[:-1]:
            raise EdgeError(f"A path starts with '/' and has '*' at its end only: {path!r}.")
    limits.check_invalidation(wanted)
    return wanted


def reference_taken(reference: str) -> EdgeError:
    """Tell that a reference was used before, for other paths."""
    return EdgeError(
        f"The invalidation {reference!r} was made before, for other paths.",
        "Give another reference.",
    )
