"""Writing documents: up to AT_ONCE in the same time, and with the queries that one takes.

A document is replaced only if it is still the one that was there before the job was read. So of two
workers, the one that read the job later wins, even if the other writes last.
"""

import logging
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

from edge.errors import StaleEtag
from edge.protocols import ObjectStore
from tracking.claims import Outcome, claim_links, record, release
from tracking.documents import CACHE_CONTROL, CONTENT_TYPE, public_document, to_bytes
from tracking.models import TrackingLink

AT_ONCE = 16
T = TypeVar("T")
log = logging.getLogger(__name__)


def publish_links(pks: Sequence[int], objects: ObjectStore) -> dict[int, Outcome]:
    """Update the documents of at most AT_ONCE links, unless other workers are publishing them."""
    claim, claimed = claim_links(pks)
    outcomes: dict[int, Outcome] = {}
    etags = _each(claimed, partial(_etag, objects), outcomes)
    # Read after the claim, so that the documents have every change committed before it.
    links = _with_jobs(etags)
    bodies = _each(links, _body, outcomes, threads=1)

    def send(link: TrackingLink) -> int | None:
        return _send(objects, link, etag=etags[link.pk], body=bodies[link.pk])

    revisions = _each([link for link in links if link.pk in bodies], send, outcomes)
    for pk in outcomes:
        release(pk=pk, claim=claim)
    for pk, revision in revisions.items():
        outcome = Outcome.DELETED if revision is None else Outcome.WRITTEN
        outcomes[pk] = record(pk=pk, claim=claim, revision=revision, outcome=outcome)
    return dict.fromkeys(pks, Outcome.BUSY) | outcomes


def document_of(link: TrackingLink) -> bytes:
    """Return the document of an active link that was read with its job."""
    return to_bytes(public_document(link.job, is_receipt=link.is_receipt))


def _each(
    links: Iterable[TrackingLink],
    work: Callable[[TrackingLink], T],
    outcomes: dict[int, Outcome],
    *,
    threads: int = AT_ONCE,
) -> dict[int, T]:
    """Return the results by link; one that fails gets its outcome, and the others go on.

    Threads of their own must not use the database. One link needs none.
    """
    items = list(links)
    results: dict[int, T] = {}

    def attempt(link: TrackingLink) -> None:
        try:
            results[link.pk] = work(link)
        except StaleEtag:
            outcomes[link.pk] = Outcome.LOST
        except Exception as error:
            # Neither traceback nor message: both may contain the document's key.
            reason = getattr(error, "code", type(error).__name__)
            log.warning("Publishing %s failed: %s. It will be retried.", link, reason)
            outcomes[link.pk] = Outcome.FAILED

    if min(threads, len(items)) > 1:
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(attempt, items))
    else:
        for link in items:
            attempt(link)
    return results


def _etag(objects: ObjectStore, link: TrackingLink) -> str:
    """Return the ETag of a link's document, or "" if there is none; a new link has none."""
    if link.published_revision is None:
        return ""
    found = objects.head(link.key)
    return found.etag if found else ""


def _with_jobs(pks: Iterable[int]) -> list[TrackingLink]:
    """Read links with all that their documents show. The join finds probes, too."""
    links = TrackingLink.objects.filter(pk__in=pks).select_related("job__service", "job__crew")
    return list(links.prefetch_related("job__events", "job__prices"))


def _body(link: TrackingLink) -> bytes | None:
    """Return the document, or None if it is to be deleted."""
    if not link.is_active:
        return None
    return document_of(link)


def _send(objects: ObjectStore, link: TrackingLink, *, etag: str, body: bytes | None) -> int | None:
    """Write or delete a document; return its revision. Raises StaleEtag, EdgeError."""
    if body is None:
        objects.delete([link.key])
        return None
    objects.put(
        link.key, body, content_type=CONTENT_TYPE, cache_control=CACHE_CONTROL, if_match=etag
    )
    return link.job.revision
