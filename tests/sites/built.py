"""The sites: what their files are for, and what they need from an environment."""

from collections.abc import Mapping
from dataclasses import dataclass, field

INLINE_SCRIPTS = {
    "content-security-policy": "default-src 'self'; script-src 'self' 'unsafe-inline'; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data:; base-uri 'none'; "
    "frame-ancestors 'none'; object-src 'none'"
}


@dataclass(frozen=True)
class BuiltSite:
    """A site of `fixtures/`.

    `pages` maps addresses to the files that answer them, `missing` is the file for other paths and
    `lazy` begins the path of a script that only scripts refer to. Environments need `headers` for
    pages with inline scripts, and must leave Django's paths to a site that `owns_paths` among them.
    """

    name: str
    pages: Mapping[str, str]
    missing: str = "404.html"
    lazy: str = ""
    owns_paths: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_single_page(self) -> bool:
        """Whether scripts answer every path."""
        return self.missing == "index.html"

    def __str__(self) -> str:
        return self.name


SITES = {
    one.name: one
    for one in (
        BuiltSite(
            "mkdocs",
            {"/": "index.html", "/guide/sorting/": "guide/sorting/index.html"},
            lazy="assets/javascripts/workers/search.",
            headers=INLINE_SCRIPTS,
        ),
        BuiltSite(
            "sphinx",
            {"/": "index.html", "/api/scales": "api/scales.html", "/search": "search.html"},
            owns_paths=True,  # pages in api/
            headers=INLINE_SCRIPTS,
        ),
        BuiltSite(
            "vite",
            {"/": "index.html", "/prices/mattress": "index.html"},
            missing="index.html",
            lazy="assets/prices-",
        ),
        BuiltSite(
            "astro",
            {"/": "index.html", "/prices/": "prices/index.html"},
            lazy="_astro/price.",
            headers=INLINE_SCRIPTS,
        ),
        BuiltSite(
            "eleventy",
            {
                "/": "index.html",
                "/about/": "about/index.html",
                "/news/v1.2/": "news/v1.2/index.html",
                "/.well-known/security.txt": ".well-known/security.txt",
            },
        ),
        BuiltSite(
            "next",
            {"/": "index.html", "/about": "about.html", "/about.txt": "about.txt"},
            lazy="_next/static/chunks/293.",
            headers=INLINE_SCRIPTS,
        ),
        BuiltSite(
            "cra",
            {"/": "index.html", "/prices/chair": "index.html"},
            missing="index.html",
            lazy="static/js/600.",
            owns_paths=True,  # scripts in static/
        ),
        BuiltSite(
            "docusaurus",
            {"/": "index.html", "/lifting/": "lifting/index.html"},
            lazy="assets/js/22dd74f7.",
            headers=INLINE_SCRIPTS,
        ),
    )
}
# Generators that put a hash into the names of files.
HASHING = [one for one in SITES.values() if one.lazy]
