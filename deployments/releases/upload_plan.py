"""Planning a release: which files are stored already, which are copied, which are uploaded.

Planning only reads, so a dry run is a plan that is not carried out. A release is made of local
files, of artifacts that other releases hold, or of both.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache, partial

from django.conf import settings

from deployments.errors import Refused
from deployments.models import Environment, Release
from deployments.releases.claims import claims_of
from deployments.releases.inventory import (
    FindManifest,
    Inventory,
    inventory_by_manifests,
    inventory_by_objects,
)
from deployments.releases.manifest import Artifact, Manifest, SourceFile
from deployments.releases.site import site_document
from deployments.releases.store import find_manifest, object_sizes
from deployments.wording import plural
from edge.protocols import ObjectStore


@dataclass(frozen=True, slots=True)
class Copy:
    """An artifact of the new release, and the key under which `source` holds the same bytes.

    `file` is the local file with these bytes, if there is one.
    """

    artifact: Artifact
    source: Release
    key: str
    file: SourceFile | None


@dataclass(frozen=True, slots=True)
class ReleasePlan:
    """The steps that make a release.

    `known` is the release of the same digest, if any; `site` its site document.
    """

    manifest: Manifest
    known: Release | None
    inventory: Inventory
    uploads: list[SourceFile]
    copies: list[Copy]
    site: Mapping[str, object] = field(default_factory=dict)

    @property
    def skipped(self) -> int:
        """How many files are stored already."""
        return len(self.inventory.paths)

    @property
    def is_done(self) -> bool:
        """Whether the release exists: whole, and with the pages of today's surfaces."""
        return (
            self.known is not None
            and self.inventory.vouchers == {self.known.pk}
            and self.known.pages == self.pages
        )

    @property
    def pages(self) -> dict[str, dict[str, object]]:
        """The page of each of today's surfaces."""
        return self.manifest.pages(surface_urls())

    @property
    def claims(self) -> list[str]:
        """The patterns of the application's paths that files are at."""
        return claims_of(artifact.path for artifact in self.manifest)

    @property
    def writes(self) -> int:
        """How many requests write objects: files, the manifest and the audit object."""
        files = len(self.uploads) + len(self.copies)
        return files + 2 if files or not self.is_done else 0

    @property
    def counts(self) -> dict[str, int]:
        return {
            "files": len(self.manifest),
            "bytes": self.manifest.total_bytes,
            "uploaded": len(self.uploads),
            "copied": len(self.copies),
            "skipped": self.skipped,
        }


def plan_release(
    *,
    objects: ObjectStore,
    files: Iterable[SourceFile],
    environment: Environment | None,
    repair: bool = False,
) -> ReleasePlan:
    """Plan a release of files, copying what the environment's live release has already.

    Raises Refused as `plan_of` does.
    """
    files = list(files)
    live = environment.live if environment else None
    return plan_of(
        objects=objects,
        manifest=Manifest.of(file.artifact for file in files),
        files=files,
        sources=[live.release] if live else [],
        repair=repair,
    )


def plan_of(
    *,
    objects: ObjectStore,
    manifest: Manifest,
    files: Iterable[SourceFile] = (),
    sources: Iterable[Release] = (),
    repair: bool = False,
) -> ReleasePlan:
    """Plan a release of artifacts found in `files` and in the releases `sources`.

    With `repair`, every object is checked, even those of a release that was pushed before.

    Raises Refused if no surface's page is among the artifacts, if an asset's name is taken by other
    content, or if an artifact is found nowhere.
    """
    if not manifest.pages(surface_urls()):
        raise Refused(
            "no-page",
            "None of the files is the page of a surface: expected index.html at least.",
            "Point --source at the folder that contains index.html.",
        )
    known = Release.objects.present().filter(digest=manifest.digest).first()
    # Nothing can be copied from the release itself: what it has is stored already.
    others = [source for source in dict.fromkeys(sources) if source != known]
    files = list(files)
    find: FindManifest = cache(partial(find_manifest, objects))
    if repair:
        inventory = inventory_by_objects(objects, manifest, known)
    else:
        inventory = inventory_by_manifests(objects, manifest, known, find, others)
    missing = [artifact for artifact in manifest if artifact.path not in inventory.paths]
    local = {file.artifact.path: file for file in files}
    copies = _copies(objects, missing, find, others, local)
    uploads = _uploads(missing, {copy.artifact.path for copy in copies}, local)
    return ReleasePlan(manifest, known, inventory, uploads, copies, site_document(files))


def surface_urls() -> dict[str, str]:
    """Return the URL path of each surface."""
    return {name: surface["path"] for name, surface in settings.SURFACES.items()}


def _copies(
    objects: ObjectStore,
    missing: Iterable[Artifact],
    find: FindManifest,
    sources: Iterable[Release],
    files: Mapping[str, SourceFile],
) -> list[Copy]:
    """Find the missing documents that a source holds, under any path and with any headers.

    Unless all of them could be uploaded instead, the source's objects are listed.
    """
    wanted = {artifact.path: artifact for artifact in missing if not artifact.shared}
    copies: list[Copy] = []
    for source in sources if wanted else ():
        held = _document_keys(objects, source, find, trusted=wanted.keys() <= files.keys())
        copies += [
            Copy(artifact, source, held[artifact.sha256], files.get(artifact.path))
            for artifact in wanted.values()
            if artifact.sha256 in held
        ]
        wanted = {path: one for path, one in wanted.items() if one.sha256 not in held}
    return copies


def _document_keys(
    objects: ObjectStore, source: Release, find: FindManifest, *, trusted: bool
) -> dict[str, str]:
    """Return the keys of a release's documents by digest; if not `trusted`, those that exist."""
    manifest = find(source) or ()
    keys = {a.sha256: a.key(source.name) for a in manifest if not a.shared}
    if trusted:
        return keys
    stored = object_sizes(objects, source.key(""))
    return {sha256: key for sha256, key in keys.items() if key in stored}


def _uploads(
    missing: list[Artifact], copied: set[str], files: Mapping[str, SourceFile]
) -> list[SourceFile]:
    """Return the files to upload. Raises Refused for an artifact found nowhere."""
    paths = [artifact.path for artifact in missing if artifact.path not in copied]
    gone = [path for path in paths if path not in files]
    if gone:
        raise Refused(
            "artifact-gone",
            f"{plural(len(gone), 'file')} can no longer be found in the store, first {gone[0]}.",
            "Push the files themselves: manage.py push --source DIR",
        )
    return [files[path] for path in paths]
