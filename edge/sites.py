"""Site documents: how the edge function finds the files of a release not laid out like ours.

A release without one is laid out like our own pages: every page is an `index.html`, `track/`,
`book/` and `dashboard/` answer what is below them, and everything under `assets/` is shared.
"""

import json
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from edge.errors import LimitExceeded

# The same patterns as in functions/viewer_request.js; a property test compares them.
_GENERATED = re.compile(r"/(?:_next/static|_astro|_app/immutable)/.")
_HASHED = re.compile(
    r"[./_-](?!(?:19|20)\d{6}[.-])(?=[a-f]*\d)[\da-f]{8,64}[.-]"
    r"|[.-](?!(?:19|20)\d{6}\.)(?=[\w-]*[A-Z\d])[\w-]{8}\.",
    re.ASCII,
)
_FILE = re.compile(
    r"\.(html?|css|m?js|json|map|txt|xml|ico|svg|png|jpe?g|gif|webp|avif|woff2?|[ot]tf|pdf"
    r"|webmanifest|wasm|mp[34]|webm|ics|csv|zip)$",
    re.IGNORECASE,
)
_PLAIN = re.compile(r"[\w.~-]+", re.ASCII)
_SPELLED_ONCE = re.compile(r"/[\w./~-]*", re.ASCII)
# Shared where a name carries a hash, in every site.
SHARED_FOLDERS = ("/assets/", "/static/")
# A key and its value have 1,024 bytes together, and JSON adds a few for each rule.
BUCKET_BYTES = 900
RULES_AT_MOST = 5_000
VERSION = 1
# Of a site document, which has to fit into a routing document.
DOCUMENT_BYTES = 400
FOLDERS_BYTES = 120
PAGES_AT_MOST = 32
PAGE_NUMBERS = 100_000
NOT_FOUND = 404


class Slashes(StrEnum):
    """What happens to a page's address with or without the slash at its end."""

    KEEP = "keep"
    ADD = "add"
    REMOVE = "remove"


@dataclass(frozen=True, slots=True)
class Rule:
    """A redirect (301, 302, 307, 308), a rewrite inside the site (200) or a missing page (404).

    `source` is a path without a slash at its end, decoded; with `prefix` it ends in one and matches
    everything below. `target` is encoded and may contain `:splat`.
    """

    source: str
    target: str
    status: int
    prefix: bool = False


@dataclass(frozen=True, slots=True)
class Site:
    """The layout of a release.

    `surfaces`: track, book and dashboard are ours. `immutable`: more folders (`/build/`) in which
    names with a hash are shared. `endings`: of files besides those that the function knows. `flat`:
    `/about` is `about.html`. `fallback`: the page for paths without one (`/index.html`).
    `exact` and `prefixes` are the numbers of keys that hold rules, `rule_endings` the endings of
    rules' sources that look like files, `rule_folders` the first segments of all sources, or
    empty if they are too many. `pages` are numbers of pages known to have no rule (known_pages).
    """

    surfaces: bool = False
    immutable: tuple[str, ...] = ()
    endings: tuple[str, ...] = ()
    flat: bool = False
    slashes: Slashes = Slashes.KEEP
    fallback: str = ""
    exact: int = 0
    prefixes: int = 0
    rule_endings: tuple[str, ...] = ()
    rule_folders: tuple[str, ...] = ()
    pages: tuple[int, ...] = ()

    def as_document(self) -> dict[str, Any]:
        """Return the short form that the edge function reads. Raises LimitExceeded."""
        fields = {
            "v": VERSION,
            "o": int(self.surfaces),
            "i": list(self.immutable),
            "x": _joined(self.endings),
            "h": int(self.flat),
            "s": "" if self.slashes is Slashes.KEEP else self.slashes.value[0],
            "f": self.fallback,
            "t": self.exact,
            "w": self.prefixes,
            "q": _joined(self.rule_endings),
            "g": _joined(self.rule_folders),
            "k": _joined(map(str, self.pages)),
        }
        document = {name: value for name, value in fields.items() if value}
        size = _size(document)
        if size > DOCUMENT_BYTES and document.pop("k", ""):  # these only save time
            size = _size(document)
        if size > DOCUMENT_BYTES:
            raise LimitExceeded(
                f"The site document can have {DOCUMENT_BYTES} bytes; this one has {size}.",
                f"Rename files with unusual endings ({', '.join(self.endings[:10])}), or list "
                "fewer folders as immutable.",
            )
        return document

    def shares(self, path: str) -> bool:
        """Whether a file of the release (`/assets/app.0123abcd.js`) is shared by all releases."""
        if _GENERATED.match(path):
            return True
        name = path[path.rindex("/") :]
        return path.startswith((*SHARED_FOLDERS, *self.immutable)) and bool(_HASHED.search(name))


def folders_of(rules: Iterable[Rule]) -> tuple[str, ...]:
    """Return the first segments of rules' sources, or none if the document cannot hold them."""
    folders = sorted({_folder(rule.source) for rule in rules})
    is_plain = all(_PLAIN.fullmatch(folder) for folder in folders)
    return tuple(folders) if is_plain and len("|".join(folders)) <= FOLDERS_BYTES else ()


def known_pages(addresses: Iterable[str], rules: Collection[Rule]) -> tuple[int, ...]:
    """Return numbers of pages' addresses for which the function need not look for a rule.

    Only of pages beside rules. A number that a rule's source has too is left out. There are none if
    a prefix is among the rules, or a source that viewers spell in several ways: then other paths
    could have a page's number.
    """
    sources = [rule.source for rule in rules]
    if any(rule.prefix for rule in rules) or not all(map(_SPELLED_ONCE.fullmatch, sources)):
        return ()
    taken = {bucket(path, PAGE_NUMBERS) for source in sources for path in (source, f"{source}/")}
    folders = {_folder(source) for source in sources}
    beside = [
        path for path in addresses if _SPELLED_ONCE.fullmatch(path) and _folder(path) in folders
    ]
    numbers = sorted({bucket(path, PAGE_NUMBERS) for path in beside} - taken)
    return tuple(numbers[:PAGES_AT_MOST])


def _folder(path: str) -> str:
    return path.split("/", 2)[1]


def _size(document: Mapping[str, Any]) -> int:
    return len(json.dumps(document, separators=(",", ":")).encode())


def site_key(release: str) -> str:
    """Return the key that holds a release's site document."""
    return f"site:{release}"


def site_prefixes(release: str) -> tuple[str, ...]:
    """Return what every key of a release's site begins with."""
    return site_key(release), f"rule:{release}:", f"splat:{release}:"


def is_known_file(path: str) -> bool:
    """Whether the function takes a path for a file in every release."""
    return bool(_FILE.search(path)) or (path.startswith("/.well-known/") and not path.endswith("/"))


def ending_of(path: str) -> str:
    """Return what follows the last dot of a path's last segment, in lower case, or ""."""
    name = path.rpartition("/")[2]
    return name.rpartition(".")[2].lower() if "." in name else ""


def spread(release: str, rules: Iterable[Rule]) -> tuple[int, int, dict[str, str]]:
    """Spread rules over keys; return how many keys hold exact rules and prefixes, and the values.

    Raises LimitExceeded if more prefixes begin with one segment than a key can hold.
    """
    exact: list[tuple[str, Rule]] = []
    prefixes: list[tuple[str, Rule]] = []
    for rule in rules:
        if rule.prefix:
            prefixes.append((rule.source.split("/", 2)[1], rule))
        else:
            exact.append((rule.source, rule))
    exact_count, exact_values = _spread(exact, f"rule:{release}:")
    prefix_count, prefix_values = _spread(prefixes, f"splat:{release}:")
    return exact_count, prefix_count, exact_values | prefix_values


def bucket(text: str, count: int) -> int:
    """Return the number of the key that holds a path's rule, as the edge function computes it."""
    number, units = 5381, text.encode("utf-16-le")
    for place in reversed(range(0, len(units), 2)):
        number = (number * 33 + int.from_bytes(units[place : place + 2], "little")) & 0xFFFFFFFF
    return number % count


def _spread(rows: list[tuple[str, Rule]], prefix: str) -> tuple[int, dict[str, str]]:
    """Return the number of keys, and their values: `\\n`, then a line for each rule."""
    if not rows:
        return 0, {}
    # Short values are read faster, and paths do not spread evenly.
    count = 1 + 3 * sum(len(_line(rule)) for _, rule in rows) // BUCKET_BYTES
    while True:
        values: dict[str, str] = {}
        for text, rule in rows:
            key = f"{prefix}{bucket(text, count)}"
            values[key] = values.get(key, "\n") + _line(rule)
        longest = max(values, key=lambda key: len(values[key].encode()))
        if len(values[longest].encode()) <= BUCKET_BYTES:
            return count, values
        if count > 4 * len(rows):
            break
        count = count * 3 // 2 + 1
    raise LimitExceeded(
        f"The rules of one key do not fit into {BUCKET_BYTES} bytes; the first is for "
        f"{values[longest].split()[0]}.",
        "Use fewer rules with '*' that begin with the same folder, or shorter targets.",
    )


def _line(rule: Rule) -> str:
    return f"{rule.source}\t{rule.status}\t{rule.target}\n"


def _joined(endings: Iterable[str]) -> str:
    text = "|".join(endings)
    return f"|{text}|" if text else ""
