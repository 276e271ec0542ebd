"""Scripts and stylesheets without a hash: what a page can get from another release than its own."""

import re
from collections.abc import Iterable
from posixpath import normpath
from urllib.parse import unquote

from deployments.releases.manifest import SourceFile
from deployments.wording import plural

FIRST_PAGE = "index.html"
# Both are at the top of pages.
_READ_BYTES = 2**20
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_REFERENCE = re.compile(
    r"""<(?:script|link)\s(?:[^<>]*?\s)?(?:src|href)\s*=\s*["']?([^"'\s<>]+)""", re.IGNORECASE
)
_ELSEWHERE = re.compile(r"//|[a-z][a-z\d+.-]*:", re.IGNORECASE)
_CODE = (".css", ".js", ".mjs")


def mixing_lines(files: Iterable[SourceFile]) -> list[str]:
    """Return how many scripts and stylesheets without a hash the first page refers to, if any.

    Only this page is read, so that the cost does not grow with the site.
    """
    by_path = {file.artifact.path: file for file in files}
    first = by_path.get(FIRST_PAGE)
    if first is None:
        return []
    named = _code_of(_beginning(first))
    count = sum(path in by_path and not by_path[path].artifact.shared for path in named)
    if not count:
        return []
    code = plural(count, "script or stylesheet", "scripts and stylesheets")
    return [f"Site: {FIRST_PAGE} refers to {code} without a hash; an open page can mix releases"]


def _beginning(file: SourceFile) -> str:
    if isinstance(file.body, bytes):
        return file.body[:_READ_BYTES].decode(errors="replace")
    with file.body.open("rb") as stream:
        return stream.read(_READ_BYTES).decode(errors="replace")


def _code_of(page: str) -> set[str]:
    """Return the paths of the scripts and stylesheets that a page at `/` refers to."""
    named = _REFERENCE.findall(_COMMENT.sub("", page))
    ours = (re.split("[?#]", one)[0] for one in named if not _ELSEWHERE.match(one))
    paths = {normpath(f"/{unquote(one)}").lstrip("/") for one in ours}
    return {path for path in paths if path.endswith(_CODE)}
