"""Comparing the documents in the store with the links, both ways. Reads only, except for prune.

Documents change all the time. So a fault counts only if the link was settled: published before the
comparison began, not behind, and claimed by no worker.
"""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime

from django.db.models import F, Q
from django.utils import timezone

from edge.protocols import ObjectStore
from tracking.claims import LEASE
from tracking.errors import MostlyOrphaned
from tracking.models import TrackingLink, TrackingLinkQuerySet
from tracking.stored import Documents, listed_documents, read_documents
from tracking.writing import document_of

NAMED = 3  # jobs that a message names


@dataclass(slots=True)
class Faults:
    """The links with a fault, and the labels of the first ones' jobs."""

    links: list[int] = field(default_factory=list)
    named: list[str] = field(default_factory=list)

    @property
    def count(self) -> int:
        return len(self.links)

    def add(self, link: int, label: str) -> None:
        self.links.append(link)
        if self.count <= NAMED:
            self.named.append(label)


@dataclass(slots=True)
class Comparison:
    """What differs: documents that are missing, differ from their job, or have no link."""

    documents: int = 0
    missing: Faults = field(default_factory=Faults)
    stale: Faults = field(default_factory=Faults)
    orphaned: int = 0


@dataclass(frozen=True, slots=True)
class Orphans:
    """The keys of the documents that no link owns, of how many `documents`.

    `left` if they were not removed because they are most of them.
    """

    keys: list[str]
    documents: int
    left: bool = False

    @property
    def are_most(self) -> bool:
        return 2 * len(self.keys) > self.documents

    def __str__(self) -> str:
        return f"{len(self.keys):,} of {self.documents:,} tracking documents have no link"

    def as_json(self) -> dict[str, int]:
        """Return counts for --json."""
        found = len(self.keys)
        return {
            "documents": self.documents,
            "orphaned": found,
            "removed": 0 if self.left else found,
        }


def compare_documents(objects: ObjectStore, *, part: str = "") -> Comparison:
    """Compare every document with its job, and every link with the store. Raises EdgeError.

    `part` limits both to the tokens whose SHA-256 begins with it.
    """
    settled = _settled(before=timezone.now(), part=part)
    found, present = Comparison(), set[int]()
    for batch in listed_documents(objects, part):
        found.documents += len(batch)
        found.orphaned += len(batch) - len(_owned(batch))
        links = _with_jobs(batch)
        present.update(link.pk for link in links)
        wrong = {link.pk for link in _different(objects, batch, links)}
        for link in settled.filter(pk__in=wrong).select_related("job").order_by("job__number"):
            found.stale.add(link.pk, link.job.label)
    for pk, number in settled.values_list("pk", "job__number").iterator(chunk_size=1_000):
        if pk not in present:
            found.missing.add(pk, f"QDN-{number}")
    return found


def find_orphans(objects: ObjectStore) -> Orphans:
    """Return the documents that no link owns. Raises EdgeError."""
    keys: list[str] = []
    documents = 0
    for batch in listed_documents(objects):
        documents += len(batch)
        owned = _owned(batch)
        keys += [one.key for token, one in batch.items() if token not in owned]
    return Orphans(keys, documents)


def remove_orphans(
    objects: ObjectStore, *, even_most: bool = False, dry_run: bool = False
) -> Orphans:
    """Remove the documents that no link owns, and return them. Raises EdgeError.

    If that would be most documents, this may be another installation's store: then they are left,
    unless `even_most` says that they are meant.
    """
    orphans = find_orphans(objects)
    if orphans.are_most and not even_most:
        return replace(orphans, left=True)
    if not dry_run:
        objects.delete(orphans.keys)
    return orphans


def remove_orphans_unattended(objects: ObjectStore) -> Orphans:
    """Remove the documents that no link owns. Raises MostlyOrphaned, EdgeError."""
    orphans = remove_orphans(objects)
    if orphans.left:
        raise MostlyOrphaned(
            f"{orphans}, so this may be another installation's store; none was removed.",
            "Check DATABASE_URL, EDGE_BUCKET and DATA_DIR. To remove them: "
            "manage.py prune --documents --yes",
        )
    return orphans


def _settled(*, before: datetime, part: str) -> TrackingLinkQuerySet:
    """Return the links whose document should be in the store as it is."""
    # A range, which an index finds: "g" comes after all digits.
    tokens = TrackingLink.objects.filter(token_sha256__gte=part, token_sha256__lt=f"{part}g")
    links = tokens.active().filter(job__is_probe=False)
    current = links.filter(published_revision__gte=F("due_revision"))
    unclaimed = current.unclaimed(lapsed_before=before - LEASE)
    return unclaimed.exclude(published_at__gte=before)


def _owned(batch: Iterable[str]) -> set[str]:
    """Return the tokens (SHA-256) with a link; a revoked one keeps its document until publishing
    has deleted it."""
    owners = TrackingLink.objects.filter(
        Q(revoked_at__isnull=True) | Q(published_revision__isnull=False)
    )
    found = owners.filter(token_sha256__in=batch).values_list("token_sha256", flat=True)
    return set(found)


def _with_jobs(batch: Iterable[str]) -> list[TrackingLink]:
    links = TrackingLink.objects.active().filter(token_sha256__in=batch)
    links = links.select_related("job__service", "job__crew")
    return list(links.prefetch_related("job__events", "job__prices"))


def _different(
    objects: ObjectStore, batch: Documents, links: list[TrackingLink]
) -> Iterator[TrackingLink]:
    """Yield the links whose document is not that of the job.

    An ETag that is the MD5 of the expected bytes is enough; for others the document is read.
    """
    expected = {link.pk: document_of(link) for link in links}
    unsure = [
        link for link in links if batch[link.token_sha256].etag != _etag_of(expected[link.pk])
    ]
    bodies = read_documents(objects, [link.key for link in unsure])
    for link, body in zip(unsure, bodies, strict=True):
        if body != expected[link.pk]:
            yield link


def _etag_of(body: bytes) -> str:
    return f'"{hashlib.md5(body, usedforsecurity=False).hexdigest()}"'
