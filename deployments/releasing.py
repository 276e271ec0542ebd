"""Making releases: compare with what the store has, upload the rest, write the manifest last.

Describing comes first (`plan_release`, which only reads), doing second (`make_release`), so a dry
run is a plan that nobody carries out.
"""

import hashlib
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime

from django.conf import settings
from django.utils import timezone

from deployments.artifacts import ASSETS, DOCUMENT_CACHE, MANIFEST, Artifact, SourceFile
from deployments.errors import PartlyChanged, Refused
from deployments.manifests import Manifest
from deployments.models import Environment, Release
from edge.errors import EdgeError, ObjectMissing
from edge.protocols import ObjectStore

UPLOADS_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class ReleasePlan:
    """What making a release would do. `known` is the release of the same digest, if any."""

    manifest: Manifest
    known: Release | None
    base: Release | None
    uploads: list[SourceFile]
    copies: list[Artifact]
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
    """Compare files with the store; `environment`'s live release is the base to copy from.

    Raises Refused when no surface's page is among them, or when an asset's name is taken by other
    content.
    """
    files = list(files)
    manifest = Manifest.of(file.artifact for file in files)
    if not manifest.pages(_surface_urls()):
        raise Refused(
            "no-page",
            "None of the files is the page of a surface: expected index.html at least.",
            "Give the folder that holds index.html.",
        )
    known = Release.objects.filter(digest=manifest.digest).first()
    live = environment.live if environment else None
    base = live.release if live else None
    missing = _missing(objects, manifest, known)
    copyable = _copyable(objects, base)
    copies = [artifact for artifact in missing if copyable.get(artifact.path) == artifact]
    sent = {artifact.path for artifact in missing} - {artifact.path for artifact in copies}
    uploads = [file for file in files if file.artifact.path in sent]
    skipped = len(manifest) - len(missing)
    return ReleasePlan(manifest, known, base, uploads, copies, skipped)


def make_release(
    *,
    objects: ObjectStore,
    plan: ReleasePlan,
    message: str,
    actor: str,
    say: Callable[[str], None],
) -> Release:
    """Carry a plan out: copy, upload, check, write the manifest, complete the release's row.

    The row is written first, so that a push that was interrupted goes on under the same name.
    Raises PartlyChanged when the store fails; no environment is touched.
    """
    release = plan.known or _record(plan.manifest, message, actor)
    say(f"Upload {len(plan.uploads)} files, copy {len(plan.copies)}, skip {plan.skipped}")
    try:
        _transfer(objects, plan, release)
        _check_all_there(objects, plan.manifest, release)
        _write_manifest(objects, plan.manifest, release)
    except EdgeError as error:
        raise PartlyChanged(
            "upload-failed",
            f"The upload of {release.name} did not finish: {error}",
            "Run the same push again: it goes on where it stopped. No environment was touched.",
        ) from error
    Release.objects.filter(pk=release.pk, completed_at=None).update(completed_at=timezone.now())
    release.refresh_from_db()
    return release


def read_manifest(objects: ObjectStore, release: Release) -> Manifest:
    """Read a release's manifest. Raises ObjectMissing."""
    return Manifest.from_json(objects.get(release.key(MANIFEST)).body)


def document_metadata(release: Release, artifact: Artifact) -> dict[str, str]:
    """Give the metadata of an object: documents say their release, shared assets do not."""
    digest = {"sha256": artifact.sha256}
    return digest if artifact.shared else {**digest, "release": release.name}


def _surface_urls() -> dict[str, str]:
    return {name: surface["path"] for name, surface in settings.SURFACES.items()}


def _missing(objects: ObjectStore, manifest: Manifest, known: Release | None) -> list[Artifact]:
    """Find the artifacts the store lacks, by two listings."""
    documents = _listed(objects, known.key("")) if known else {}
    has_assets = any(artifact.shared for artifact in manifest)
    assets = _listed(objects, ASSETS) if has_assets else {}
    return [
        artifact
        for artifact in manifest
        if not (
            _asset_is_there(objects, artifact, assets)
            if artifact.shared
            else known and documents.get(artifact.key(known.name)) == artifact.size
        )
    ]


def _asset_is_there(objects: ObjectStore, artifact: Artifact, listed: dict[str, int]) -> bool:
    """Tell whether a shared asset is stored. Raises Refused when its name holds other content."""
    if artifact.path not in listed:
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
    return True


def _listed(objects: ObjectStore, prefix: str) -> dict[str, int]:
    return {listed.key: listed.size for listed in objects.list(prefix)}


def _copyable(objects: ObjectStore, base: Release | None) -> dict[str, Artifact]:
    """Find the documents of the base release that can be copied inside the store."""
    if base is None:
        return {}
    try:
        manifest = read_manifest(objects, base)
    except ObjectMissing:
        return {}
    there = _listed(objects, base.key(""))
    return {
        artifact.path: artifact
        for artifact in manifest
        if not artifact.shared and there.get(artifact.key(base.name)) == artifact.size
    }


def _record(manifest: Manifest, message: str, actor: str) -> Release:
    release, _ = Release.objects.get_or_create(
        digest=manifest.digest,
        defaults={
            "name": manifest.release_name(datetime.now(UTC)),
            "files": len(manifest),
            "bytes": manifest.total_bytes,
            "pages": manifest.pages(_surface_urls()),
            "message": message,
            "created_by": actor,
        },
    )
    return release


def _transfer(objects: ObjectStore, plan: ReleasePlan, release: Release) -> None:
    def copy(base: Release, artifact: Artifact) -> None:
        objects.copy(
            artifact.key(base.name),
            artifact.key(release.name),
            metadata=document_metadata(release, artifact),
        )

    def upload(file: SourceFile) -> None:
        objects.put(
            file.artifact.key(release.name),
            _read(file),
            content_type=file.artifact.content_type,
            cache_control=file.artifact.cache_control,
            metadata=document_metadata(release, file.artifact),
        )

    pool = ThreadPoolExecutor(UPLOADS_AT_ONCE)
    try:
        tasks = [pool.submit(copy, plan.base, a) for a in plan.copies if plan.base]
        tasks += [pool.submit(upload, file) for file in plan.uploads]
        for task in tasks:
            task.result()
    finally:
        pool.shutdown(cancel_futures=True)


def _read(file: SourceFile) -> bytes:
    """Read what is uploaded. Raises PartlyChanged when it is no longer what was hashed."""
    body = file.body if isinstance(file.body, bytes) else file.body.read_bytes()
    if hashlib.sha256(body).hexdigest() != file.artifact.sha256:
        raise PartlyChanged(
            "source-changed",
            f"{file.artifact.path} changed while it was being pushed.",
            "Wait until the build is done, then run the same push again. No environment was "
            "touched.",
        )
    return body


def _check_all_there(objects: ObjectStore, manifest: Manifest, release: Release) -> None:
    """List what was stored and compare it with the manifest, before the release may exist."""
    stored = _listed(objects, release.key("")) | _listed(objects, ASSETS)
    wrong = [a.path for a in manifest if stored.get(a.key(release.name)) != a.size]
    if wrong:
        raise ObjectMissing(f"{len(wrong)} files are missing or cut short, first {wrong[0]}.")


def _write_manifest(objects: ObjectStore, manifest: Manifest, release: Release) -> None:
    key = release.key(MANIFEST)
    if objects.head(key) is not None and objects.get(key).body == manifest.body:
        return
    objects.put(
        release.key(MANIFEST),
        manifest.body,
        content_type="application/json",
        cache_control=DOCUMENT_CACHE,
        metadata={"release": release.name, "sha256": manifest.digest},
    )
