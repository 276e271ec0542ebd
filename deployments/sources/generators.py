"""Generators of sites, recognized by the files they write. Pure."""

import re
from collections.abc import Collection
from dataclasses import dataclass

from deployments.sources.site_file import SiteSettings

INDEX = "index.html"


@dataclass(frozen=True, slots=True)
class Generator:
    """A generator: each of `signs` matches a path that it writes.

    `single_page`: its scripts answer every path, so a path without a file gets the index page.
    """

    name: str
    signs: tuple[re.Pattern[str], ...]
    single_page: bool = False

    def wrote(self, paths: Collection[str]) -> bool:
        """Whether every sign is among the paths of a source."""
        return all(any(map(sign.fullmatch, paths)) for sign in self.signs)


def _generator(name: str, *signs: str, single_page: bool = False) -> Generator:
    return Generator(name, tuple(map(re.compile, signs)), single_page)


GENERATORS = (
    _generator("Next.js", r"_next/static/.+"),
    _generator("Astro", r"_astro/.+"),
    _generator("SvelteKit", r"_app/immutable/.+"),
    _generator("Material for MkDocs", r"assets/javascripts/bundle\.[\da-f]+\.min\.js"),
    _generator("MkDocs", r"search/search_index\.json", r"sitemap\.xml\.gz"),
    _generator("Docusaurus", r"assets/js/runtime~main\.[\da-f]+\.js"),
    _generator("Sphinx", r"objects\.inv", r"_static/.+"),
    _generator(
        "Create React App", r"asset-manifest\.json", r"static/js/main\..+\.js", single_page=True
    ),
    _generator("Vite", r"assets/[^/]+-[\w-]{8}\.js", single_page=True),
)


def generator_of(paths: Collection[str]) -> Generator | None:
    """Return the generator that wrote a source, or None if it is not recognized."""
    return next((one for one in GENERATORS if one.wrote(paths)), None)


def settings_of(paths: Collection[str]) -> SiteSettings:
    """Return the settings that a source without `qdn.toml` gets.

    Generators of single pages also write sites of several pages and error pages; those get none.
    """
    generator = generator_of(paths)
    pages = [path for path in paths if path.endswith(".html")]
    if generator and generator.single_page and pages == [INDEX]:
        return SiteSettings(fallback=f"/{INDEX}")
    return SiteSettings()
