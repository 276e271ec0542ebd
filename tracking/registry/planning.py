"""What an import does with a batch of rows: compared with the database, before anything is written.

The first import of a row creates its job. A later one updates the job as long as only imports have
changed it; what was changed here wins.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from django.db.models import Q

from dispatch.importing import Changes, differences, imported_revisions
from dispatch.models import Job
from tracking.models import TrackingLink
from tracking.registry.rows import Row, RowRefused

# Who created a link that an import brought.
IMPORT = "import"


@dataclass(slots=True)
class Update:
    """What changes of a job that exists: its fields, and its link.

    `learned` is a link whose token was not known; `replaced` one that the former system replaced;
    `is_linked` is whether the row's token becomes a link.
    """

    row: Row
    job: Job
    changes: Changes = field(default_factory=dict)
    learned: TrackingLink | None = None
    replaced: TrackingLink | None = None
    is_linked: bool = False

    @property
    def is_needed(self) -> bool:
        return bool(self.changes or self.learned or self.is_linked)


@dataclass(slots=True)
class Plan:
    """What happens with each row of a batch."""

    created: list[Row] = field(default_factory=list)
    updated: list[Update] = field(default_factory=list)
    unchanged: int = 0
    refused: list[tuple[Row, RowRefused]] = field(default_factory=list)


def plan_batch(rows: Sequence[Row]) -> Plan:
    """Return what to do with these rows, which differ in ids and tokens. Writes nothing."""
    known, plan = _Known(rows), Plan()
    for row in rows:
        try:
            job = known.job_of(row)
            update = known.update(job, row) if job else None
        except RowRefused as refusal:
            plan.refused.append((row, refusal))
            continue
        if job is None:
            plan.created.append(row)
        elif update and update.is_needed:
            plan.updated.append(update)
        else:
            plan.unchanged += 1
    return plan


class _Known:
    """What the database has of a batch, read with a fixed number of queries."""

    def __init__(self, rows: Sequence[Row]) -> None:
        numbers = [row.job.number for row in rows if row.job.number is not None]
        ids = [row.job.former_id for row in rows if row.job.former_id]
        jobs = list(
            Job.with_probes.filter(Q(number__in=numbers) | Q(former_id__in=ids))
            .select_related("customer", "service")
            .prefetch_related("prices")
        )
        self._by_number = {job.number: job for job in jobs}
        self._by_former_id = {job.former_id: job for job in jobs if job.former_id}
        self._imported = imported_revisions(jobs)
        digests = [row.token_sha256 for row in rows]
        links = list(_links(Q(job__in=[job.pk for job in jobs]) | Q(token_sha256__in=digests)))
        self._by_digest = {link.token_sha256: link for link in links}
        self._by_job: dict[int, list[TrackingLink]] = defaultdict(list)
        for link in links:
            self._by_job[link.job_id].append(link)

    def job_of(self, row: Row) -> Job | None:
        """Return the row's job, or None if it is to be created. Raises RowRefused."""
        if row.job.number is None:
            job = self._by_former_id.get(row.job.former_id)
        else:
            job = self._by_number.get(row.job.number)
        link = self._by_digest.get(row.token_sha256)
        if link and (job is None or link.job_id != job.pk):
            raise RowRefused("token", f"the token of {link.job}", "a token that no other job has")
        if job and not (link or job.pk in self._imported):
            expected = "a number that is free, or another id, such as OLD-1042, for a new number"
            raise RowRefused("id", f"another job with the number {job.label}", expected)
        return job

    def update(self, job: Job, row: Row) -> Update:
        """Return what the row changes of its job. Raises RowRefused."""
        update = Update(row, job)
        if self._imported.get(job.pk) == job.revision:
            update.changes = differences(job, row.job)
        link = self._by_digest.get(row.token_sha256)
        if link is None:
            self._link(update)
        elif row.token and not link.token:
            update.learned = link
        return update

    def _link(self, update: Update) -> None:
        """Let the row's new token take the place of the imported one. Raises RowRefused."""
        links = self._by_job[update.job.pk]
        active = next((link for link in links if link.is_active), None)
        if links and (active is None or active.created_by != IMPORT):
            found = f"a token that is not the one of {update.job.label}"
            expected = "its token; the link was replaced or revoked here"
            raise RowRefused("token", found, expected)
        update.replaced, update.is_linked = active, True


def _links(condition: Q) -> Iterable[TrackingLink]:
    links = TrackingLink.objects.filter(condition).select_related("job")
    return links.only("job__number", "token", "token_sha256", "created_by", "revoked_at")
