"""Planning invalidations: what to drop in a distribution, folded where that is cheaper. Pure.

A path costs the same whether it names one file or, with `*` at its end, a thousand. In money alone
a wildcard is nearly always cheaper: the requests to the store that it causes cost a ten-thousandth
of a path. But every file it drops needlessly is slow for the next reader at every edge location, so
each of those counts as a part of a path too. Source of limits and prices: CloudFront's developer
guide, "Invalidating files" and "Quotas on invalidations", and its price list.
"""

import re
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_UP, Decimal
from urllib.parse import quote

from edge.limits import INVALIDATION_PATHS, INVALIDATION_WILDCARDS

FREE_PATHS = 1_000  # a month and account
DOLLARS_A_PATH = Decimal("0.005")
UNCHANGED_FILES_A_PATH = 20
INDEX = "index.html"
# What a browser leaves as it is in a path; all else, `*` above all, is percent-encoded.
_PLAIN = "/-._~!$&'()+,;=:@"
_AFTER_ASCII = "\x7f"


def address(path: str) -> str:
    """Give the URL path of a file of a release, as a browser sends it."""
    return "/" + quote(path, safe=_PLAIN)


def addresses(path: str) -> list[str]:
    """List the URL paths a file is cached under where no function rewrites them.

    A folder's page answers under the folder's name too, with the slash and (by a redirect) without.
    """
    own = address(path)
    folder, slash, name = own.rpartition("/")
    if name != INDEX:
        return [own]
    return [own, folder + slash, *([folder] if folder else [])]


def concerns(patterns: Sequence[str], url_path: str) -> bool:
    """Tell whether a distribution with these path patterns routes a URL path; none means all."""
    return not patterns or any(_matches(pattern, url_path) for pattern in patterns)


def narrowed(entry: str, patterns: Sequence[str]) -> list[str]:
    """Cut a path to drop (`*` at its end) down to what a distribution routes.

    A wildcard beyond the patterns becomes those of them that lie within it.
    """
    start = entry.removesuffix("*")
    if not entry.endswith("*"):
        return [entry] if concerns(patterns, entry) else []
    if _reaches_all(patterns, start):
        return [entry]
    rooted = ["/" + pattern.lstrip("/") for pattern in patterns if "?" not in pattern]
    return [p for p in rooted if p.startswith(start) and "*" not in p[:-1]]


def price(paths: int, *, used: int) -> Decimal:
    """Tell in dollars what paths cost when so many were used this month already."""
    return max(0, paths - max(0, FREE_PATHS - used)) * DOLLARS_A_PATH


def bill(paths: int, *, used: int) -> str:
    """Say what paths cost, in full cents: `12 paths, $0.00 of 1,000 free`."""
    noun = "path" if paths == 1 else "paths"
    dollars = price(paths, used=used).quantize(Decimal("0.01"), ROUND_UP)
    return f"{paths:,} {noun}, ${dollars} of {FREE_PATHS:,} free"


def batches(entries: Sequence[str]) -> list[list[str]]:
    """Cut a plan into requests of at most 3,000 paths."""
    starts = range(0, len(entries), INVALIDATION_PATHS)
    return [list(entries[start : start + INVALIDATION_PATHS]) for start in starts]


def fold(
    wanted: Iterable[str],
    *,
    unchanged: Iterable[str] = (),
    patterns: Sequence[str] = (),
    wildcards: int = INVALIDATION_WILDCARDS,
) -> list[str]:
    """Plan the paths to send so that everything wanted is dropped, in order.

    `wanted` and `unchanged` are URL paths; what the patterns do not route is left out, and no
    wildcard reaches beyond them. A wildcard may cover unchanged files where that is cheaper.
    There are never more entries than wanted paths, nor more wildcards than allowed.
    """
    concerned = {path for path in wanted if concerns(patterns, path)}
    tree = _tree(concerned)
    folding = _Folding(sorted(set(unchanged) - concerned), patterns)
    while True:
        entries = _without_covered(folding.best(tree).entries)
        if sum(entry.endswith("*") for entry in entries) <= wildcards:
            return entries
        # Dearer wildcards are fewer: neighbours are folded together, small ones given up.
        folding.wildcard_price *= 2


@dataclass(slots=True)
class _Folder:
    """A folder of URL paths: `prefix` ends in a slash, `paths` lie directly in it."""

    prefix: str
    paths: set[str] = field(default_factory=set)
    folders: dict[str, "_Folder"] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Choice:
    cost: float
    entries: list[str]


@dataclass(slots=True)
class _Folding:
    """Finds the cheapest way to name what is in a folder."""

    unchanged: list[str]
    patterns: Sequence[str]
    wildcard_price: float = 1

    def best(self, folder: _Folder) -> _Choice:
        """Choose between naming all that is in a folder and one wildcard."""
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
        """Give the wildcard over everything that starts so, if it may be and costs less."""
        if not _reaches_all(self.patterns, start):
            return choice
        cost = self.wildcard_price + self._unchanged_below(start) / UNCHANGED_FILES_A_PATH
        return _Choice(cost, [start + "*"]) if cost < choice.cost else choice

    def _unchanged_below(self, start: str) -> int:
        first = bisect_left(self.unchanged, start)
        return bisect_left(self.unchanged, start + _AFTER_ASCII, lo=first) - first


def _reaches_all(patterns: Sequence[str], start: str) -> bool:
    """Tell whether some pattern routes everything that starts so."""
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
    """Leave out what a chosen wildcard covers anyway."""
    kept: list[str] = []
    starts: tuple[str, ...] = ()
    for entry in sorted(entries, key=lambda entry: (not entry.endswith("*"), len(entry), entry)):
        if not entry.startswith(starts):
            kept.append(entry)
            if entry.endswith("*"):
                starts = (*starts, entry[:-1])
    return sorted(kept)


def _matches(pattern: str, url_path: str) -> bool:
    """Tell whether a path pattern routes a path: `*` is any run, `?` one character."""
    rooted = pattern if pattern.startswith(("/", "*")) else f"/{pattern}"
    expression = "".join({"*": ".*", "?": "."}.get(char) or re.escape(char) for char in rooted)
    return re.fullmatch(expression, url_path, re.DOTALL) is not None
