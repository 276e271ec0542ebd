"""Making releases: copy and upload what a plan says, check it, write the manifest last."""

import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

from django.utils import timezone

from deployments import audit
from deployments.artifacts import ASSETS, DOCUMENT_CACHE, MANIFEST, Artifact, SourceFile
from deployments.asset_sweeps import enter_push
from deployments.errors import PartlyChanged
from deployments.manifests import Manifest
from deployments.models import Release
from deployments.release_plans import Copy, ReleasePlan, plan_release, surface_urls
from deployments.stored import listed, read_manifest
from edge.errors import EdgeError, ObjectMissing
from edge.protocols import ObjectStore

# Callers take the making of a release from here, whole.
__all__ = ["ReleasePlan", "document_metadata", "make_release", "plan_release", "read_manifest"]
UPLOADS_AT_ONCE = 8


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
    Raises PartlyChanged when the store fails, ChangedMeanwhile when retention is in the way; no
    environment is touched.
    """
    release = plan.known or _record(plan.manifest, message, actor)
    enter_push(release)
    say(f"Upload {len(plan.uploads)} files, copy {len(plan.copies)}, skip {plan.skipped}")
    try:
        _transfer(objects, plan, release)
        _check_all_there(objects, plan.manifest, release)
        if release.completed_at is None:
            audit.write_release(objects, release)
        _write_manifest(objects, plan.manifest, release)
    except EdgeError as error:
        raise PartlyChanged(
            "upload-failed",
            f"The upload of {release.name} did not finish: {error}",
            "No environment was touched. The same push again goes on where it stopped.",
        ) from error
    Release.objects.filter(pk=release.pk, completed_at=None).update(completed_at=timezone.now())
    release.refresh_from_db()
    return release


def document_metadata(release: Release, artifact: Artifact) -> dict[str, str]:
    """Give the metadata of an object: documents say their release, shared assets do not."""
    digest = {"sha256": artifact.sha256}
    return digest if artifact.shared else {**digest, "release": release.name}


def _record(manifest: Manifest, message: str, actor: str) -> Release:
    release, _ = Release.objects.present().get_or_create(
        digest=manifest.digest,
        defaults={
            "name": manifest.release_name(datetime.now(UTC)),
            "files": len(manifest),
            "bytes": manifest.total_bytes,
            "pages": manifest.pages(surface_urls()),
            "message": message,
            "created_by": actor,
        },
    )
    return release


def _transfer(objects: ObjectStore, plan: ReleasePlan, release: Release) -> None:
    def copy(one: Copy) -> None:
        objects.copy(
            one.source_key,
            one.artifact.key(release.name),
            metadata=document_metadata(release, one.artifact),
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
        tasks = [pool.submit(copy, one) for one in plan.copies]
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
            "No environment was touched. Wait until the build is done, then push again.",
        )
    return body


def _check_all_there(objects: ObjectStore, manifest: Manifest, release: Release) -> None:
    """List what was stored and compare it with the manifest, before the release may exist."""
    stored = listed(objects, release.key("")) | listed(objects, ASSETS)
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
