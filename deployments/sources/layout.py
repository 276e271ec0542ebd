"""Laying a source out: which of its files releases share, and its site document.

The site document is compiled from the files, so that each of them can be fetched. A source laid out
like our own pages needs none.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from urllib.parse import quote

from deployments.errors import Refused
from deployments.releases.manifest import SourceFile, laid_out
from deployments.releases.site import site_file
from deployments.sources.generators import INDEX, settings_of
from deployments.sources.redirects import PERMANENT, REWRITE, Line, check_redirects, resolved
from deployments.sources.site_file import SiteSettings
from edge.errors import LimitExceeded
from edge.sites import (
    RULES_AT_MOST,
    Rule,
    Site,
    Slashes,
    ending_of,
    folders_of,
    is_known_file,
    known_pages,
    spread,
)

ASSETS = "assets/"
ERROR_PAGES = frozenset({"404.html"})
# Of endings that the site document lists; files with others get a rule each.
_ENDING = re.compile(r"[a-z0-9_+~-]{1,16}")
_OUR_FOLDERS = ("track/", "book/", "dashboard/")


@dataclass(frozen=True, slots=True)
class Layout:
    """A site, and the rules for paths that it does not cover."""

    site: Site
    rules: tuple[Rule, ...] = ()


def lay_out(
    files: Iterable[SourceFile], stated: SiteSettings | None, lines: Collection[Line]
) -> list[SourceFile]:
    """Return the files as they are stored, with `_site.json` if the site needs it.

    `stated` is what `qdn.toml` says, or None without one. Raises Refused.
    """
    files = list(files)
    paths = {file.artifact.path for file in files}
    chosen = stated or settings_of(paths)
    layout = compile_layout(paths, chosen, lines)
    placed = [replace(one, artifact=laid_out(one.artifact, layout.site)) for one in files]
    if _is_ordinary(layout, placed):
        return placed
    return [*placed, site_file(layout.site, layout.rules)]


def compile_layout(
    paths: Collection[str], chosen: SiteSettings, lines: Collection[Line] = ()
) -> Layout:
    """Compile a site's layout from the paths of its files.

    Raises Refused for a path that could not be fetched, and for rules that are in conflict.
    """
    ours = _check_ours(paths)
    pages = {_url(path): path for path in sorted(paths) if _is_page(path)}
    files = {f"/{path}": path for path in paths} | pages
    catch_all = [line for line in lines if line.rule.prefix and line.rule.source == "/"]
    others = [line for line in lines if line not in catch_all]
    check_redirects(others, files)
    flat = _is_flat(pages)
    slashes = chosen.slashes or (Slashes.KEEP if ours or flat or len(pages) <= 1 else Slashes.ADD)
    fallback = _fallback(chosen, catch_all, files)
    endings, odd = _endings(paths)
    rules = [
        *(resolved(line.rule, files) for line in others),
        *(Rule(f"/{path}", f"/{quote(path)}", REWRITE) for path in odd),
        *_page_rules(pages, flat=flat, fallback=fallback),
    ]
    return _laid_out(
        Site(
            surfaces=ours,
            immutable=chosen.immutable or (),
            endings=endings,
            flat=flat,
            slashes=slashes,
            fallback=fallback and f"/{quote(fallback)}",
        ),
        tuple(rules),
        pages,
    )


def _laid_out(site: Site, rules: tuple[Rule, ...], pages: Iterable[str]) -> Layout:
    """Return the layout with the numbers that depend on its rules. Raises Refused."""
    if len(rules) > RULES_AT_MOST:
        raise Refused(
            "too-many-rules",
            f"The site needs {len(rules):,} rules; an edge function finds {RULES_AT_MOST:,}.",
            "Rules come from _redirects, from pages beside a fallback, and from files without an "
            "ending. Use fewer of them.",
        )
    looked_up = {
        ending_of(one.source)
        for one in rules
        if is_known_file(one.source) or ending_of(one.source) in site.endings
    }
    try:
        exact, prefixes, _ = spread("", rules)
    except LimitExceeded as error:
        raise Refused("too-many-rules", error.message, error.hint) from error
    ends = tuple(sorted(looked_up))
    counted = replace(site, exact=exact, prefixes=prefixes, rule_endings=ends)
    # With a fallback, a page is found by its rule.
    addresses = () if site.fallback else [_address(url, site) for url in pages]
    known = known_pages(addresses, rules)
    return Layout(replace(counted, rule_folders=folders_of(rules), pages=known), rules)


def _is_ordinary(layout: Layout, placed: Iterable[SourceFile]) -> bool:
    """Whether the edge function serves the files without a site document."""
    is_plain = layout.site in (Site(), Site(surfaces=True)) and not layout.rules
    artifacts = [file.artifact for file in placed]
    return is_plain and not any(
        one.stored_as or (one.path.startswith(ASSETS) and not one.shared) or _is_foreign(one.path)
        for one in artifacts
    )


def _check_ours(paths: Collection[str]) -> bool:
    """Whether track, book and dashboard are our pages. Raises Refused if they hide other files."""
    ours = "track/index.html" in paths or "dashboard/index.html" in paths
    hidden = sorted(path for path in paths if _is_foreign(path))
    if ours and hidden:
        raise Refused(
            "source-hidden",
            f"{hidden[0]} could never be fetched: the page of its folder answers everything below.",
            "Move it to another folder, or remove track/index.html and dashboard/index.html.",
        )
    return ours or ("book/index.html" in paths and not hidden)


def _is_foreign(path: str) -> bool:
    """Whether a file is in a folder of our pages without being one of them."""
    return path.startswith(_OUR_FOLDERS) and path.partition("/")[2] != INDEX


def _is_page(path: str) -> bool:
    return path.endswith(".html") and path not in ERROR_PAGES


def _url(path: str) -> str:
    """Return a page's URL without a slash at its end: `/`, `/about`."""
    folder, _, name = path.rpartition("/")
    page = "" if name == INDEX else name.removesuffix(".html")
    return "/" + f"{folder}/{page}".strip("/")


def _address(url: str, site: Site) -> str:
    """Return the address that answers with a page, without a redirect."""
    bare = url == "/" or site.flat or site.slashes is Slashes.REMOVE
    return url if bare else f"{url}/"


def _is_flat(pages: Mapping[str, str]) -> bool:
    """Whether most pages are called `about.html`, and not `about/index.html`."""
    below = [path for url, path in pages.items() if url != "/"]
    flat = sum(not path.endswith(f"/{INDEX}") for path in below)
    return flat > len(below) - flat


def _fallback(chosen: SiteSettings, catch_all: Collection[Line], files: Mapping[str, str]) -> str:
    """Return the path of the page for paths without a file, or "". Raises Refused."""
    stated = chosen.fallback or ""
    for line in catch_all:
        if line.rule.status == REWRITE and chosen.fallback is None:
            stated = line.rule.target
        elif line.rule.status != REWRITE:
            raise Refused(
                "redirects-invalid",
                f"Line {line.number} of _redirects is for every path.",
                "Only a rewrite to one page can be: /* /index.html 200",
            )
    if not stated:
        return ""
    path = files.get(stated) or files.get(stated.rstrip("/") or "/")
    if path is None:
        raise Refused(
            "fallback-missing",
            f"The fallback {stated} is not in the site.",
            "Name a page of it in qdn.toml: [site] fallback.",
        )
    return path


def _endings(paths: Collection[str]) -> tuple[tuple[str, ...], list[str]]:
    """Return unusual endings, and the files that need a rule each: without an ending, or odd."""
    unknown = sorted(path for path in paths if not is_known_file(f"/{path}"))
    listed = {ending for path in unknown if _ENDING.fullmatch(ending := ending_of(path))}
    odd = [path for path in unknown if ending_of(path) not in listed]
    return tuple(sorted(listed)), odd


def _page_rules(pages: Mapping[str, str], *, flat: bool, fallback: str) -> list[Rule]:
    """Return rules for pages that the layout's ordinary rule would not find."""
    rules = []
    for url, path in pages.items():
        in_folder = path.endswith(f"/{INDEX}")
        if fallback and path != fallback:
            rules.append(Rule(url, f"/{quote(path)}", REWRITE))
        elif not fallback and flat and in_folder:
            rules.append(Rule(url, f"{quote(url)}/", PERMANENT))
        elif not fallback and not flat and not in_folder and url != "/":
            rules.append(Rule(url, f"/{quote(path)}", REWRITE))
    return rules
