"""Sites for measurements, each in several builds: one like our own pages, and those of tests/sites.

Every page, script and stylesheet of a build says which one it is (`mark_of`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.sites.built import HASHING, BuiltSite
from tests.sites.variants import files_of, mark_of, shared_code, variant, write

__all__ = ["OURS", "SITES", "BenchSite", "is_hashed", "mark_of"]
ASSETS_A_PAGE = 6


@dataclass(frozen=True)
class BenchSite:
    """A site: its files as a generator writes them, and the addresses of its pages.

    `owns_paths`: some of them are Django's elsewhere.
    """

    name: str
    files: dict[str, bytes]
    pages: Sequence[str]
    owns_paths: bool = False

    def write(self, mark: str, folder: Path) -> Path:
        """Write a build and return its folder."""
        return write(variant(self.files, mark), folder)

    def lazy(self, mark: str) -> list[str]:
        """Return the addresses of a build's scripts and styles that no page refers to."""
        files = variant(self.files, mark)
        pages = b"".join(body for path, body in files.items() if path.endswith(".html"))
        return [f"/{path}" for path in shared_code(files) if path.encode() not in pages]


def is_hashed(address: str) -> bool:
    """Whether a script or stylesheet belongs to one build."""
    return bool(shared_code({address.removeprefix("/"): b""}))


def _ours() -> BenchSite:
    """Return pages that refer to their own assets and to one that all builds have."""
    pages = {
        "/": "index.html",
        "/book/": "book/index.html",
        "/track/abcdefghijklmnopqrstuv": "track/index.html",
        "/dashboard/": "dashboard/index.html",
    }
    files = {"assets/common.0123456789ab.svg": b"<svg/>"}
    for page in pages.values():
        name = page.replace("/", "-").removesuffix(".html")
        assets = [f"assets/{name}-{n}.{n}0123456789a.js" for n in range(ASSETS_A_PAGE)]
        links = "".join(f'<script src="/{asset}"></script>' for asset in assets)
        files[page] = f'<!doctype html>{links}<img src="/assets/common.0123456789ab.svg">'.encode()
        files |= dict.fromkeys(assets, b"x" * 2_000)
    return BenchSite("ours", files, list(pages))


def _addresses(site: BuiltSite) -> list[str]:
    return [address for address, path in site.pages.items() if path.endswith(".html")]


OURS = _ours()
SITES = {
    OURS.name: OURS,
    **{
        one.name: BenchSite(one.name, files_of(one.name), _addresses(one), one.owns_paths)
        for one in HASHING
    },
}
