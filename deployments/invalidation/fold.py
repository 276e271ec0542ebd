"""Plans which paths to invalidate, and replaces many by a wildcard where that is cheaper. Pure.

A path costs the same whether it matches one file or, with `*` at its end, a thousand. In money
alone a wildcard is nearly always cheaper: the requests to the store that it causes cost a
ten-thousandth of a path. But every unchanged file that it drops is slow for the next reader at each
edge location, so each of those counts as part of a path too. Source: CloudFront's developer guide,
"Invalidating files", and its price list.
"""

import re
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote

from edge.limits import count_wildcards

UNCHANGED_FILES_A_PATH = 20
INDEX = "index.html"
# Browsers leave these characters of a path alone and percent-encode others, such as `*`.
_PLAIN = "/-._~!$&'()+,;=:@"
_AFTER_ASCII = "\x7f"


def address(path: str) -> str:
    """Return the URL path of a release's file, as browsers send it."""
    return "/" + quote(path, safe=_PLAIN)


def addresses(path: str) -> list[str]:
    """Return the URL paths under which a file is cached if no function rewrites them.

    A folder's index page is also cached under the folder's name, with the slash and, as a redirect,
    without it.
    """
    own = address(path)
    folder, slash, name = own.rpartition("/")
    if name != INDEX:
        return [own]
    return [own, folder + slash, *([folder] if folder else [])]


def concerns(patterns: Sequence[str], url_path: str) -> bool:
    """Whether a distribution with these path patterns routes a URL path. No patterns match all."""
    return not patterns or any(_matches(pattern, url_path) for pattern in patterns)


def narrowed(entry: str, patterns: Sequence[str]) -> list[str]:
    """Return the part of a path, which may end in `*`, that a distribution routes.

    A wildcard that is broader than the patterns is replaced by the patterns that it contains.
    """
    start = entry.removesuffix("*")
    if not entry.endswith("*"):
        return [entry] if concerns(patterns, entry) else []
    if _reaches_all(patterns, start):
        return [entry]
    rooted = ["/" + pattern.lstrip("/") for pattern in patterns if "?" not in pattern]
    return [p for p in rooted if p.startswith(start) and "*" not in p[:-1]]


def fold(
    wanted: Iterable[str],
    *,
    unchanged: Iterable[str] = (),
    patterns: Sequence[str] = (),
    wildcards: int,
) -> list[str]:
    """Return the paths to invalidate so that everything wanted is dropped, sorted.

    `wanted` and `unchanged` are URL paths. Paths that the patterns do not route are left out, and
    no wildcard reaches beyond the patterns. A wildcard may cover unchanged files where that is
    cheaper. The result has at most as many paths as are wanted, and at most `wildcards` wildcards.
    """
    concerned = {path for path in wanted if concerns(patterns, path)}
    tree = _tree(concerned)
    folding = _Folding(sorted(set(unchanged) - concerned), patterns)
    while True:
        entries = _without_covered(folding.best(tree).entries)
        if count_wildcards(entries) <= wildcards:
            return entries
        # A higher price makes fewer: neighbours are merged, and small ones given up.
        folding.wildcard_price *= 2


@dataclass(slots=True)
class _Folder:
    """A folder of URL paths. `prefix` ends in a slash; `paths` are directly in the folder."""

    prefix: str
    paths: set[str] = field(default_factory=set)
    folders: dict[str, "_Folder"] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Choice:
    cost: float
    entries: list[str]


@dataclass(slots=True)
class _Folding:
    """Finds the cheapest paths that cover a folder."""

    unchanged: list[str]
    patterns: Sequence[str]
    wildcard_price: float = 1

    def best(self, folder: _Folder) -> _Choice:
        """Choose between the paths in a folder and one wildcard."""
        cost, entries = 0.0, set(folder.paths)
        for child in folder.folders.values():
            own = child.prefix[:-1]
            choice = self.best(child)
            if own in folder.paths:
                choice = _Choice(choice.cost + 1, [*choice.entries, own])
                choice = self._cheaper(choice, own)
                entries.discard(own)
            cost += choice.cost
            entries |= set(choice.entries)
        named = len(folder.paths - {child.prefix[:-1] for child in folder.folders.values()})
        return self._cheaper(_Choice(cost + named, list(entries)), folder.prefix)

    def _cheaper(self, choice: _Choice, start: str) -> _Choice:
        """Return the wildcard for a prefix if it is allowed and costs less, else the choice."""
        if not _reaches_all(self.patterns, start):
            return choice
        cost = self.wildcard_price + self._unchanged_below(start) / UNCHANGED_FILES_A_PATH
        return _Choice(cost, [start + "*"]) if cost < choice.cost else choice

    def _unchanged_below(self, start: str) -> int:
        first = bisect_left(self.unchanged, start)
        return bisect_left(self.unchanged, start + _AFTER_ASCII, lo=first) - first


def _reaches_all(patterns: Sequence[str], start: str) -> bool:
    """Whether some pattern routes every path with a prefix."""
    return not patterns or any(
        pattern.endswith("*") and _matches(pattern, start) for pattern in patterns
    )


def _tree(paths: Iterable[str]) -> _Folder:
    root = _Folder("/")
    for path in paths:
        folder = root
        *names, _ = path[1:].split("/")
        for name in names:
            folder = folder.folders.setdefault(name, _Folder(f"{folder.prefix}{name}/"))
        folder.paths.add(path)
    return root


def _without_covered(entries: Iterable[str]) -> list[str]:
    """Leave out entries that another wildcard covers."""
    kept: list[str] = []
    starts: tuple[str, ...] = ()
    for entry in sorted(entries, key=lambda entry: (not entry.endswith("*"), len(entry), entry)):
        if not entry.startswith(starts):
            kept.append(entry)
            if entry.endswith("*"):
                starts = (*starts, entry[:-1])
    return sorted(kept)


def _matches(pattern: str, url_path: str) -> bool:
    """Whether a path pattern matches a path: `*` is any characters, `?` one."""
    rooted = pattern if pattern.startswith(("/", "*")) else f"/{pattern}"
    expression = "".join({"*": ".*", "?": "."}.get(char) or re.escape(char) for char in rooted)
    return re.fullmatch(expression, url_path, re.DOTALL) is not None
