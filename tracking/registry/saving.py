"""Writing what an import has planned for a batch."""

from collections.abc import Iterable

from django.utils import timezone

from dispatch.importing import create_jobs, update_job
from dispatch.models import Job
from tracking.models import TrackingLink
from tracking.queue import request_publishing
from tracking.registry.planning import IMPORT, Plan, Update
from tracking.registry.rows import Row

REPLACED = "replaced in the former system"


def save_batch(plan: Plan, *, actor: str) -> None:
    """Write a plan, and have its documents published. Call it in a transaction.

    Raises JobChangedMeanwhile, or IntegrityError if another import writes the same rows.
    """
    jobs = create_jobs([row.job for row in plan.created], actor=actor)
    for update in plan.updated:
        _save_update(update, actor=actor)
    linked = [(update.row, update.job) for update in plan.updated if update.is_linked]
    _create_links([*zip(plan.created, jobs, strict=True), *linked])
    if plan.created or plan.updated:
        request_publishing()


def _save_update(update: Update, *, actor: str) -> None:
    if update.changes:
        update_job(job=update.job, row=update.row.job, changes=update.changes, actor=actor)
    if update.learned:
        TrackingLink.objects.filter(pk=update.learned.pk).update(token=update.row.token)
    if update.replaced:
        TrackingLink.objects.active().filter(pk=update.replaced.pk).update(
            revoked_at=timezone.now(), revoked_by=IMPORT, revoke_reason=REPLACED
        )


def _create_links(rows: Iterable[tuple[Row, Job]]) -> None:
    now = timezone.now()
    TrackingLink.objects.bulk_create(
        TrackingLink(
            job=job,
            token=row.token,
            token_sha256=row.token_sha256,
            created_by=IMPORT,
            due_revision=job.revision,
            due_since=now,
        )
        for row, job in rows
    )
