"""Building the surfaces of a release: Django templates and content-hashed static files."""

import base64
import hashlib
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.contrib.staticfiles.storage import ManifestStaticFilesStorage
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.module_loading import import_string
from rjsmin import jsmin

from deployments.errors import Refused
from deployments.releases.manifest import (
    ASSETS,
    CHECKS,
    ERROR_PAGE,
    SourceFile,
    from_bytes,
    page_path,
)
from deployments.releases.smoke_checks import SmokeCheck, checks_body, parse_checks

CSS_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
INDENTATION = re.compile(r"\s*\n\s*")


class Assets:
    """Static files under content-hashed names, in a folder.

    Django's ManifestStaticFilesStorage hashes the names and rewrites the references in stylesheets.
    """

    def __init__(self, folder: Path) -> None:
        self.storage = ManifestStaticFilesStorage(location=folder, base_url=f"/{ASSETS}")
        self._bundles: dict[str, bytes] = {}
        originals = dict(self._collect())
        for name, _, processed in self.storage.post_process(originals):
            if isinstance(processed, Exception):
                raise Refused(
                    "asset-broken",
                    f"Static file {name}: {processed}",
                    "Fix the reference and push again.",
                ) from processed

    def _collect(self) -> Iterator[tuple[str, tuple[ManifestStaticFilesStorage, str]]]:
        seen = set()
        for finder in get_finders():
            for name, source in finder.list([]):
                if name.startswith(settings.SURFACE_ASSETS) and name not in seen:
                    seen.add(name)
                    with source.open(name) as file:
                        self.storage.save(name, file)
                    yield name, (self.storage, name)

    @cached_property
    def hashed(self) -> dict[str, str]:
        """Hashed names by original name."""
        return {
            self.storage.clean_name(name): hashed
            for name, hashed in self.storage.hashed_files.items()
        }

    def url(self, name: str) -> str:
        """Return the URL of a static file in the release. Raises Refused."""
        return f"/{ASSETS}{self._hashed(name)}"

    def bundle_url(self, first: str, *more: str) -> str:
        """Bundle several scripts into one file, for one request. Return its URL. Raises Refused.

        Comments and white space stay behind, but not the licence of what others wrote (`/*! */`).
        """
        if not more:
            return self.url(first)
        texts = (self.text(name) for name in (first, *more))
        body = "".join(f"{jsmin(text, keep_bang_comments=True)}\n" for text in texts).encode()
        stem, extension = first.rsplit(".", 1)
        path = f"{ASSETS}{stem}.{hashlib.sha256(body).hexdigest()[:12]}.{extension}"
        self._bundles[path] = body
        return f"/{path}"

    def text(self, name: str) -> str:
        """Read a static file as it is in the release."""
        return Path(self.storage.path(self._hashed(name))).read_text(encoding="utf-8").strip()

    def style(self, *names: str) -> str:
        """Return stylesheets as one text, without comments and indentation. Raises Refused."""
        return "\n".join(
            INDENTATION.sub("\n", CSS_COMMENT.sub("", self.text(name))).strip() for name in names
        )

    def policy_hash(self, text: str) -> str:
        """Return the Content-Security-Policy source expression that admits an inline text."""
        return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()

    def files(self) -> list[SourceFile]:
        """Return every hashed file and the bundles made so far."""
        bodies = {
            f"{ASSETS}{name}": Path(self.storage.path(name)).read_bytes()
            for name in self.hashed.values()
        }
        return [from_bytes(path, body) for path, body in sorted((bodies | self._bundles).items())]

    def _hashed(self, name: str) -> str:
        if name not in self.hashed:
            raise Refused(
                "asset-missing",
                f"A page refers to the static file {name}, which does not exist.",
                f"Put it under static/{settings.SURFACE_ASSETS} of an app, or fix the page.",
            )
        return self.hashed[name]


@contextmanager
def collected_assets() -> Iterator[Assets]:
    """Hash the surfaces' static files in a temporary folder."""
    with tempfile.TemporaryDirectory(prefix="qdn-build-") as folder:
        yield Assets(Path(folder))


def build_surfaces() -> list[SourceFile]:
    """Build every surface of settings.SURFACES, the smoke checks, the error page and static files.

    Same templates, same static files, same bytes: the output contains no time and no release name.
    """
    with collected_assets() as assets:
        pages = [
            from_bytes(page_path(surface["path"]), render_surface(surface, assets))
            for surface in settings.SURFACES.values()
        ]
        error_page = render_surface({"template": settings.ERROR_PAGE_TEMPLATE}, assets)
        return [*pages, from_bytes(ERROR_PAGE, error_page), *_checks(), *assets.files()]


def render_surface(surface: dict[str, Any], assets: Assets) -> bytes:
    """Render one surface in its language, with the context of its context function."""
    with translation.override(surface.get("language", settings.LANGUAGE_CODE)):
        context = import_string(surface["context"])() if "context" in surface else {}
        return render_to_string(surface["template"], {**context, "assets": assets}).encode()


def _checks() -> list[SourceFile]:
    """Return the smoke checks of settings.SURFACES as a file, if there are any. Raises Refused."""
    body = checks_body(
        SmokeCheck(surface["path"], text=text)
        for surface in settings.SURFACES.values()
        for text in surface.get("checks", ())
    )
    return [from_bytes(CHECKS, body)] if parse_checks(body) else []
