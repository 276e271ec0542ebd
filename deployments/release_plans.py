"""Describing the making of a release: what is there already, what is copied, what is uploaded.

Nothing here writes, so a dry run is a plan that nobody carries out. A release is made of files at
hand, of artifacts that other releases hold, or of both.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from django.conf import settings

from deployments.artifacts import ASSETS, Artifact, SourceFile
from deployments.errors import Refused
from deployments.manifests import Manifest
from deployments.models import Environment, Release
from deployments.stored import is_as_pushed, listed, read_manifest
from edge.errors import ObjectMissing
from edge.protocols import ObjectStore


@dataclass(frozen=True, slots=True)
class Copy:
    """An artifact of the new release, and a release that holds the same one."""

    artifact: Artifact
    source: Release

    @property
    def source_key(self) -> str:
        """Name the object to copy."""
        return self.artifact.key(self.source.name)


@dataclass(frozen=True, slots=True)
class ReleasePlan:
    """What making a release would do. `known` is the release of the same digest, if any."""

    manifest: Manifest
    known: Release | None
    uploads: list[SourceFile]
    copies: list[Copy]
    skipped: int

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
    *, objects: ObjectStore, files: Iterable[SourceFile], environment: Environment | None
) -> ReleasePlan:
    """Plan a release of files; what `environment`'s live release has is copied, not uploaded.

    Raises Refused when no surface's page is among them, or when an asset's name is taken by other
    content.
    """
    files = list(files)
    live = environment.live if environment else None
    return plan_of(
        objects=objects,
        manifest=Manifest.of(file.artifact for file in files),
        files=files,
        sources=[live.release] if live else [],
    )


def plan_of(
    *,
    objects: ObjectStore,
    manifest: Manifest,
    files: Iterable[SourceFile] = (),
    sources: Iterable[Release] = (),
) -> ReleasePlan:
    """Plan a release of any artifacts: of `files`, and of what the releases in `sources` hold.

    Raises Refused when no surface's page is among them, when an asset's name is taken by other
    content, or when an artifact is nowhere to be had.
    """
    if not manifest.pages(surface_urls()):
        raise Refused(
            "no-page",
            "None of the files is the page of a surface: expected index.html at least.",
            "Give the folder that holds index.html.",
        )
    known = Release.objects.present().filter(digest=manifest.digest).first()
    missing = _missing(objects, manifest, known)
    # What it lacks itself it cannot give.
    copies = _copies(objects, missing, [source for source in sources if source != known])
    uploads = _uploads(missing, {copy.artifact.path for copy in copies}, files)
    return ReleasePlan(manifest, known, uploads, copies, len(manifest) - len(missing))


def surface_urls() -> dict[str, str]:
    """Give the URL path of each surface."""
    return {name: surface["path"] for name, surface in settings.SURFACES.items()}


def _missing(objects: ObjectStore, manifest: Manifest, known: Release | None) -> list[Artifact]:
    """Find the artifacts the store lacks, by two listings and a look at each asset and page."""
    documents = listed(objects, known.key("")) if known else {}
    has_assets = any(artifact.shared for artifact in manifest)
    assets = listed(objects, ASSETS) if has_assets else {}
    return [
        artifact
        for artifact in manifest
        if not (
            _asset_is_there(objects, artifact, assets)
            if artifact.shared
            else known and _document_is_there(objects, artifact, known, documents)
        )
    ]


def _document_is_there(
    objects: ObjectStore, artifact: Artifact, known: Release, there: dict[str, int]
) -> bool:
    """Tell whether a document is stored. A page is looked at as a deployment looks at it."""
    if there.get(artifact.key(known.name)) != artifact.size:
        return False
    pages = {page["path"] for page in known.pages.values()}
    return artifact.path not in pages or is_as_pushed(objects, known, artifact)


def _asset_is_there(objects: ObjectStore, artifact: Artifact, there: dict[str, int]) -> bool:
    """Tell whether a shared asset is stored. Raises Refused when its name holds another one."""
    if artifact.path not in there:
        return False
    info = objects.head(artifact.path)
    if info is None:
        return False
    if info.metadata.get("sha256") != artifact.sha256:
        raise Refused(
            "asset-conflict",
            f"{artifact.path} is already stored with other content; assets never change.",
            "Put a content hash into the file's name, or move the file out of assets/.",
        )
    headers = info.content_type, info.cache_control
    if headers != (artifact.content_type, artifact.cache_control):
        raise Refused(
            "asset-headers",
            f"{artifact.path} is already stored as {' with '.join(headers)}, not as "
            f"{artifact.content_type}; assets never change.",
            "Rename the file, or give it the type it is stored with in the source's _headers.",
        )
    return True


def _copies(
    objects: ObjectStore, missing: list[Artifact], sources: Iterable[Release]
) -> list[Copy]:
    """Find which missing documents a source holds; the first one that does is copied from."""
    wanted = {artifact for artifact in missing if not artifact.shared}
    found: list[Copy] = []
    for source in dict.fromkeys(sources):
        held = wanted.intersection(_held(objects, source)) if wanted else set()
        found += [Copy(artifact, source) for artifact in sorted(held)]
        wanted -= held
    return found


def _held(objects: ObjectStore, source: Release) -> list[Artifact]:
    """List the documents of a release that are stored as its manifest says."""
    try:
        manifest = read_manifest(objects, source)
    except ObjectMissing:
        return []
    there = listed(objects, source.key(""))
    return [a for a in manifest if not a.shared and there.get(a.key(source.name)) == a.size]


def _uploads(
    missing: list[Artifact], copied: set[str], files: Iterable[SourceFile]
) -> list[SourceFile]:
    """Find the files to upload. Raises Refused for an artifact that is neither copied nor here."""
    sent = {artifact.path for artifact in missing} - copied
    uploads = [file for file in files if file.artifact.path in sent]
    gone = sent - {file.artifact.path for file in uploads}
    if gone:
        raise Refused(
            "artifact-gone",
            f"{len(gone)} files are stored nowhere any more, first {min(gone)}.",
            "Push the files themselves: manage.py push --source DIR",
        )
    return uploads
