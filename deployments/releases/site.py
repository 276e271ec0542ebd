"""The file `_site.json` of a release: its site document and its rules (edge/sites.py)."""

import json
from collections.abc import Iterable, Mapping

from deployments.errors import Refused
from deployments.models import Release
from deployments.releases.manifest import SITE, SourceFile, from_bytes
from deployments.releases.store import objects_gone
from edge.errors import LimitExceeded, ObjectMissing
from edge.protocols import ObjectStore
from edge.sites import Rule, Site

VERSION = 1


def site_file(site: Site, rules: Iterable[Rule]) -> SourceFile:
    """Return the file. Raises Refused if the site document is too long."""
    rows = [[one.status, one.source, one.target, one.prefix] for one in rules]
    try:
        document = {"v": VERSION, "site": site.as_document(), "rules": rows}
    except LimitExceeded as error:
        raise Refused("site-too-odd", error.message, error.hint) from error
    return from_bytes(SITE, json.dumps(document, separators=(",", ":"), sort_keys=True).encode())


def site_document(files: Iterable[SourceFile]) -> dict[str, object]:
    """Return the site document of a release's files; empty if it needs none."""
    for file in files:
        if file.artifact.path == SITE and isinstance(file.body, bytes):
            document: dict[str, object] = json.loads(file.body)["site"]
            return document
    return {}


def site_lines(document: Mapping[str, object]) -> list[str]:
    """Return what a site document changes for viewers, one line each."""
    slashes = {"a": "Pages get a slash at their end", "r": "Pages lose the slash at their end"}
    lines = {
        "f": f"Paths without a file answer {document.get('f')}",
        "s": slashes.get(str(document.get("s")), ""),
        "h": "/about answers about.html",
        "i": f"Hashed names are shared in {', '.join(map(str, _listed(document.get('i'))))}",
        "x": f"Files may end in {', '.join(str(document.get('x')).strip('|').split('|'))}",
    }
    return [f"Site: {lines[name]}" for name in lines if document.get(name)]


def _listed(value: object) -> Iterable[object]:
    return value if isinstance(value, list) else []


def read_rules(objects: ObjectStore, release: Release) -> list[Rule]:
    """Return the rules of a release with a site document. Raises Refused (`objects-gone`)."""
    key = release.key(SITE)
    try:
        rows = json.loads(objects.get(key).body)["rules"]
        return [Rule(source, target, status, prefix) for status, source, target, prefix in rows]
    except ObjectMissing as error:
        raise objects_gone(release, f"{key} is missing") from error
    except (ValueError, KeyError, TypeError) as error:
        raise objects_gone(release, f"{key} is not what was pushed") from error
