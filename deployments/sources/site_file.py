"""The file `qdn.toml`: how a site is laid out, and how a repository is built. Pure."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from deployments.sources.build_tables import (
    BranchSettings,
    BuildSettings,
    read_branches,
    read_build,
)
from deployments.sources.site_tables import SITE_FILE, read_keys, read_tables, wrong
from edge.sites import Slashes

__all__ = ["SITE_FILE", "SiteFile", "SiteSettings", "parse_file", "parse_site_file"]

FOLDERS_AT_MOST = 10


@dataclass(frozen=True, slots=True)
class SiteSettings:
    """What a source says about its site, or what its generator is known for; None is unsaid.

    `immutable` are folders like `/build/`, `fallback` is a page like `/index.html`, or "" for none.
    """

    immutable: tuple[str, ...] | None = None
    fallback: str | None = None
    slashes: Slashes | None = None


@dataclass(frozen=True, slots=True)
class SiteFile:
    """All of `qdn.toml`; `build` is None if it does not say how the site is built."""

    site: SiteSettings
    build: BuildSettings | None = None
    branches: BranchSettings = field(default_factory=BranchSettings)


def parse_file(body: bytes) -> SiteFile:
    """Read `qdn.toml`. Raises Refused with the key that is wrong."""
    tables = read_tables(body, {"site", "build", "branches"})
    site = read_keys(tables.get("site", {}), _READ)
    return SiteFile(
        SiteSettings(
            site.get("immutable"), site.get("fallback"), slashes=site.get("trailing_slash")
        ),
        read_build(tables["build"]) if "build" in tables else None,
        read_branches(tables["branches"]) if "branches" in tables else BranchSettings(),
    )


def parse_site_file(body: bytes) -> SiteSettings:
    """Read what `qdn.toml` says about the site, and check the rest. Raises Refused."""
    return parse_file(body).site


def _immutable(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise wrong(f"has immutable = {value!r}, expected a list of folders", _EXAMPLE)
    if len(value) > FOLDERS_AT_MOST:
        raise wrong(f"lists more than {FOLDERS_AT_MOST} immutable folders", "List fewer.")
    folders = [one.strip("/") for one in value]
    for folder in folders:
        if not folder or ".." in folder or not folder.isprintable():
            raise wrong(f"lists {folder!r} as an immutable folder", _EXAMPLE)
    return tuple(f"/{folder}/" for folder in folders)


def _fallback(value: Any) -> str:
    is_page = isinstance(value, str) and value.endswith(".html") and value.startswith("/")
    if value != "" and not is_page:
        raise wrong(
            f"has fallback = {value!r}, expected the path of a page",
            'Write for example fallback = "/index.html", or "" for none.',
        )
    return str(value)


def _slashes(value: Any) -> Slashes:
    if not isinstance(value, str) or value not in set(Slashes):
        names = ", ".join(f'"{one}"' for one in Slashes)
        raise wrong(f"has trailing_slash = {value!r}", f"Use one of: {names}.")
    return Slashes(value)


_EXAMPLE = 'Write for example immutable = ["build/"].'
_READ: dict[str, Callable[[Any], Any]] = {
    "immutable": _immutable,
    "fallback": _fallback,
    "trailing_slash": _slashes,
}
