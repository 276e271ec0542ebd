"""Making releases: copy and upload what the plan lists, check it, write the manifest last."""

from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from deployments import audit
from deployments.errors import PartlyChanged
from deployments.locks.asset_sweep import enter_push, leave_push
from deployments.models import Release
from deployments.releases.inventory import is_vouched_for, missing_assets
from deployments.releases.manifest import DOCUMENT_CACHE, MANIFEST, Artifact, Manifest
from deployments.releases.provenance import UNKNOWN, Provenance
from deployments.releases.upload_plan import ReleasePlan
from deployments.wording import plural, reason_of
from edge.database_clock import database_now
from edge.errors import ContentChanged, EdgeError, ObjectMissing
from edge.protocols import NewObject, ObjectStore


def make_release(
    *,
    objects: ObjectStore,
    plan: ReleasePlan,
    message: str,
    actor: str,
    say: Callable[[str], None],
    provenance: Provenance = UNKNOWN,
    on_stored: Callable[[NewObject], None] = lambda new: None,
) -> Release:
    """Carry out a plan: copy, upload, check, write the manifest, complete the release's row.

    The row is written first, so that an interrupted push resumes under the same name. Touches no
    environment. Raises PartlyChanged if the store fails or the push is interrupted,
    ChangedMeanwhile if retention is removing files.
    """
    release = plan.known or _record(plan, message, actor, provenance)
    enter_push(release)
    uploads = plural(len(plan.uploads), "file")
    say(f"Upload {uploads}, copy {len(plan.copies):,}, skip {plan.skipped:,}")
    if not plan.is_done:
        _write(objects, plan, release, on_stored)
        Release.objects.filter(pk=release.pk, completed_at=None).update(completed_at=database_now())
    release.refresh_from_db()
    return release


def object_metadata(release: Release, artifact: Artifact) -> dict[str, str]:
    """Return an object's metadata; documents name their release, shared assets do not."""
    digest = {"sha256": artifact.sha256}
    return digest if artifact.shared else {**digest, "release": release.name}


def _record(plan: ReleasePlan, message: str, actor: str, provenance: Provenance) -> Release:
    manifest = plan.manifest
    release, _ = Release.objects.present().get_or_create(
        digest=manifest.digest,
        defaults={
            "name": manifest.release_name(datetime.now(UTC)),
            "files": len(manifest),
            "bytes": manifest.total_bytes,
            "pages": plan.pages,
            "site": plan.site,
            "claims": plan.claims,
            "message": message,
            "created_by": actor,
            **asdict(provenance),
        },
    )
    return release


def _write(
    objects: ObjectStore,
    plan: ReleasePlan,
    release: Release,
    on_stored: Callable[[NewObject], None],
) -> None:
    """Write what is missing, check the rest, write the manifest. Raises PartlyChanged."""
    try:
        objects.put_all(_new_objects(plan, release), on_stored=on_stored)
        _check_stored(objects, plan)
        leave_push(release)
        if release.completed_at is None or release.pages != plan.pages:
            _write_audit(objects, plan, release)
        _write_manifest(objects, plan.manifest, release)
    except ContentChanged as error:
        raise PartlyChanged(
            "source-changed",
            error.message,
            "No environment was touched. Wait until the build has finished, then push again.",
        ) from error
    except (EdgeError, KeyboardInterrupt) as error:
        raise PartlyChanged(
            "upload-failed",
            f"The upload of {release.name} did not finish: {reason_of(error)}.",
            "No environment was touched. Run the same push again to resume it.",
        ) from error


def _write_audit(objects: ObjectStore, plan: ReleasePlan, release: Release) -> None:
    """Write the audit object, including pages of surfaces added since an earlier push."""
    release.pages = plan.pages
    audit.write_release(objects, release)
    release.save(update_fields=["pages"])


def _new_objects(plan: ReleasePlan, release: Release) -> Iterator[NewObject]:
    """Return the objects to write: copies first, since they transfer no bytes."""
    for copy in plan.copies:
        body = copy.file.body if copy.file else None
        yield _new_object(release, copy.artifact, body, copy.key)
    for file in plan.uploads:
        yield _new_object(release, file.artifact, file.body)


def _new_object(
    release: Release, artifact: Artifact, body: bytes | Path | None, copy_of: str = ""
) -> NewObject:
    return NewObject(
        key=artifact.key(release.name),
        sha256=artifact.sha256,
        size=artifact.size,
        content_type=artifact.content_type,
        cache_control=artifact.cache_control,
        metadata=object_metadata(release, artifact),
        body=body,
        copy_of=copy_of,
    )


def _check_stored(objects: ObjectStore, plan: ReleasePlan) -> None:
    """Check the assets that this push did not write, before the release comes into existence.

    The store has confirmed what this push wrote. Assets that retention may have removed since the
    plan was made are looked up again; from now on it removes none. Raises ObjectMissing.
    """
    doubtful = plan.inventory.found
    if not is_vouched_for(plan.inventory):
        doubtful = tuple(a for a in plan.manifest if a.shared and a.path in plan.inventory.paths)
    gone = missing_assets(objects, doubtful)
    if gone:
        count = plural(len(gone), "stored file")
        raise ObjectMissing(f"{count} disappeared during the push, first {gone[0].path}.")


def _write_manifest(objects: ObjectStore, manifest: Manifest, release: Release) -> None:
    objects.put(
        release.key(MANIFEST),
        manifest.body,
        content_type="application/json",
        cache_control=DOCUMENT_CACHE,
        metadata={"release": release.name, "sha256": manifest.digest},
    )
