"""Describing the making of a release: what is there already, what is copied, what is uploaded.

Nothing here writes, so a dry run is a plan that nobody carries out. A release is made of files at
hand, of artifacts that other releases hold, or of both.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.conf import settings

from deployments.errors import Refused
from deployments.models import Environment, Release
from deployments.releases.inventory import Inventory, look_for_all, take_inventory
from deployments.releases.manifest import Artifact, Manifest, SourceFile
from deployments.releases.store import Manifests, listed
from edge.protocols import ObjectStore


@dataclass(frozen=True, slots=True)
class Copy:
    """An artifact of the new release, and a release that holds the same bytes under a key.

    `file` has them too, where they are at hand.
    """

    artifact: Artifact
    source: Release
    key: str
    file: SourceFile | None


@dataclass(frozen=True, slots=True)
class ReleasePlan:
    """What making a release would do. `known` is the release of the same digest, if any."""

    manifest: Manifest
    known: Release | None
    holdings: Inventory
    uploads: list[SourceFile]
    copies: list[Copy]

    @property
    def skipped(self) -> int:
        """How many files are stored already."""
        return len(self.holdings.paths)

    @property
    def is_done(self) -> bool:
        """Whether the release stands as it is, by its own manifest, with the pages of today."""
        return (
            self.known is not None
            and self.holdings.vouchers == {self.known.pk}
            and self.known.pages == self.pages
        )

    @property
    def pages(self) -> dict[str, dict[str, object]]:
        """The page of each surface there is now."""
        return self.manifest.pages(surface_urls())

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
    mend: bool = False,
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
        mend=mend,
    )


def plan_of(
    *,
    objects: ObjectStore,
    manifest: Manifest,
    files: Iterable[SourceFile] = (),
    sources: Iterable[Release] = (),
    mend: bool = False,
) -> ReleasePlan:
    """Plan a release of any artifacts: of `files`, and of what the releases in `sources` hold.

    With `mend` every object is looked for, also of a release that was pushed before.

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
    # What the release lacks itself it cannot give.
    others = [source for source in dict.fromkeys(sources) if source != known]
    manifests = Manifests(objects)
    if mend:
        holdings = look_for_all(objects, manifest, known)
    else:
        holdings = take_inventory(objects, manifest, known, manifests, others)
    missing = [artifact for artifact in manifest if artifact.path not in holdings.paths]
    at_hand = {file.artifact.path: file for file in files}
    copies = _copies(objects, missing, manifests, others, at_hand)
    uploads = _uploads(missing, {copy.artifact.path for copy in copies}, at_hand)
    return ReleasePlan(manifest, known, holdings, uploads, copies)


def surface_urls() -> dict[str, str]:
    """Give the URL path of each surface."""
    return {name: surface["path"] for name, surface in settings.SURFACES.items()}


def _copies(
    objects: ObjectStore,
    missing: Iterable[Artifact],
    manifests: Manifests,
    sources: Iterable[Release],
    files: Mapping[str, SourceFile],
) -> list[Copy]:
    """Find which missing documents a source holds, under whatever path and headers.

    One that could not be uploaded instead is looked for.
    """
    wanted = {artifact.path: artifact for artifact in missing if not artifact.shared}
    copies: list[Copy] = []
    for source in sources if wanted else ():
        held = _held(objects, source, manifests, wanted.keys() <= files.keys())
        copies += [
            Copy(artifact, source, held[artifact.sha256], files.get(artifact.path))
            for artifact in wanted.values()
            if artifact.sha256 in held
        ]
        wanted = {path: one for path, one in wanted.items() if one.sha256 not in held}
    return copies


def _held(
    objects: ObjectStore, source: Release, manifests: Manifests, trusted: bool
) -> dict[str, str]:
    """Find the documents of a release: their keys by their content."""
    manifest = manifests.of(source) or ()
    keys = {a.sha256: a.key(source.name) for a in manifest if not a.shared}
    if trusted:
        return keys
    there = listed(objects, source.key(""))
    return {sha256: key for sha256, key in keys.items() if key in there}


def _uploads(
    missing: list[Artifact], copied: set[str], files: Mapping[str, SourceFile]
) -> list[SourceFile]:
    """Find the files to upload. Raises Refused for an artifact that is neither copied nor here."""
    sent = [artifact.path for artifact in missing if artifact.path not in copied]
    gone = [path for path in sent if path not in files]
    if gone:
        raise Refused(
            "artifact-gone",
            f"{len(gone)} files are stored nowhere any more, first {gone[0]}.",
            "Push the files themselves: manage.py push --source DIR",
        )
    return [files[path] for path in sent]
