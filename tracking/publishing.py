"""Publishing: updating the documents in the object store to the jobs' revisions.

One worker at a time publishes a link: it claims the link (claims.py), replaces the document unless
that changed since the claim (writing.py), and records the revision under the same claim. A slow
worker whose claim has lapsed finds the document replaced and writes nothing. If it wrote all the
same (a store may lack the condition, and a deletion has none), it finds at the end that its claim
is gone. Then it marks the document as unknown (revision 0) and breaks the claim of the worker that
took over, which makes both try again. A document is therefore recorded as current only by a worker
that alone wrote it during its claim.

What is behind is read from an index that holds nothing else. So a run costs what it publishes,
however many jobs there are.
"""

import random
import time
from collections import Counter
from collections.abc import Iterable

from django.db.models import QuerySet
from django.db.models.functions import Coalesce, Greatest

from dispatch.models import Job
from edge.database_clock import database_now
from edge.protocols import ObjectStore
from tracking.claims import LEASE, Outcome
from tracking.errors import PublishingFailed
from tracking.models import TrackingLink, TrackingLinkQuerySet
from tracking.numbers import record_last_number
from tracking.writing import AT_ONCE, publish_links

# Per link and run; a job that keeps changing is left to the next run.
MAX_ATTEMPTS = 5
# A store that refuses this many documents in a row is out of order; a retry will say more.
MAX_FAILURES_IN_A_ROW = 20
# Jobs that the error message lists; the log has them all.
MAX_NAMED_FAILURES = 5
# With more than a page behind, as after an import, this many of the newest changes are published,
# then as many others: a customer of today does not wait for the rest.
NEWEST = 8 * AT_ONCE
# Links read or marked with one query, so that memory and locks do not grow with their number.
PAGE = 1_000


def publish(
    *,
    objects: ObjectStore,
    everything: bool = False,
    dry_run: bool = False,
    seconds: float | None = None,
) -> dict[str, int]:
    """Publish what is behind, or with `everything` every document, as publish_behind does.

    Then record the last job number in the store, which every booking's document comes with.
    """
    if dry_run:
        return _planned(everything=everything)
    if everything:
        mark_everything()
    try:
        done = publish_behind(objects=objects, seconds=seconds)
    except PublishingFailed:
        record_last_number(objects)
        raise
    if done["written"]:
        record_last_number(objects)
    return done


def mark_everything() -> None:
    """Mark the documents of all active links as unknown, so that they are written again."""
    last = 0
    while pks := _after(TrackingLink.objects.active().order_by("pk"), last):
        TrackingLink.objects.active().filter(pk__in=pks).mark_unknown()
        last = pks[-1]


def publish_behind(
    *, objects: ObjectStore, dry_run: bool = False, seconds: float | None = None
) -> dict[str, int]:
    """Publish every link that is behind, and repeat until none is or `seconds` have passed.

    Returns counts: documents `written` and `deleted`; `busy`, claimed by another worker; `left`
    for the next run. A dry run returns the planned counts. If the store refused some documents,
    raises PublishingFailed after trying the others; they stay behind and are retried later.
    """
    if dry_run:
        return _planned()
    run = _Run(objects, ends=None if seconds is None else time.monotonic() + seconds)
    while not run.is_over and (waiting := _waiting(run.given_up)):
        run.publish(waiting)
    _raise_for_failures([pk for pk, one in run.given_up.items() if one is Outcome.FAILED])
    return {
        "written": run.outcomes[Outcome.WRITTEN],
        "deleted": run.outcomes[Outcome.DELETED],
        "busy": run.outcomes[Outcome.BUSY],
        "left": _still_behind(run.given_up) if run.is_over or run.given_up else 0,
    }


class _Run:
    """What one run has done so far."""

    def __init__(self, objects: ObjectStore, *, ends: float | None) -> None:
        self.outcomes: Counter[Outcome] = Counter()
        self.given_up: dict[int, Outcome] = {}
        self.is_over = False
        self._objects, self._ends = objects, ends
        self._attempts: Counter[int] = Counter()
        self._failures_in_a_row = 0

    def publish(self, waiting: list[int]) -> None:
        """Publish links, unless the run ends before."""
        for start in range(0, len(waiting), AT_ONCE):
            self._note(publish_links(waiting[start : start + AT_ONCE], self._objects))
            if self.is_over:
                break

    def _note(self, outcomes: dict[int, Outcome]) -> None:
        for pk, outcome in outcomes.items():
            self.outcomes[outcome] += 1
            self._attempts[pk] += 1
            if outcome in (Outcome.BUSY, Outcome.FAILED) or self._attempts[pk] == MAX_ATTEMPTS:
                self.given_up[pk] = outcome
            is_failure = outcome is Outcome.FAILED
            self._failures_in_a_row = self._failures_in_a_row + 1 if is_failure else 0
        is_late = self._ends is not None and time.monotonic() >= self._ends
        self.is_over = is_late or self._failures_in_a_row >= MAX_FAILURES_IN_A_ROW


def _planned(*, everything: bool = False) -> dict[str, int]:
    behind = TrackingLink.objects.behind()
    stale = behind.active().count()
    written = TrackingLink.objects.active().count() if everything else stale
    return {"written": written, "deleted": behind.count() - stale, "busy": 0, "left": 0}


def _waiting(given_up: dict[int, Outcome]) -> list[int]:
    """Return the next links to publish, at most PAGE.

    They are in any order, so that a run that ends early after a failure does not leave the same
    ones to every later run. Of more than a page, these are the newest changes, then any others.
    """
    behind = TrackingLink.objects.behind()
    waiting = _after(behind, 0)
    if len(waiting) < PAGE:
        return _shuffled(waiting, given_up)
    newest = _shuffled(_newest(behind), given_up)
    last = behind.order_by("-pk").values_list("pk", flat=True).first() or waiting[-1]
    any_of_them = random.randrange(waiting[0] - 1, last)  # noqa: S311 - not a secret
    page = _not_given_up(behind, any_of_them, given_up) or _not_given_up(behind, 0, given_up)
    others = _shuffled(set(page) - set(newest), given_up)
    return [*newest, *others[:NEWEST]]


def _newest(behind: TrackingLinkQuerySet) -> list[int]:
    """Return the links that changed last, of those that no worker has just claimed.

    A job's change counts, not only the first one since its document was published: that may be an
    import.
    """
    changed = Greatest("job__updated_at", Coalesce("revoked_at", "due_since", "created_at"))
    free = behind.unclaimed(lapsed_before=database_now() - LEASE)
    return list(free.order_by(changed.desc()).values_list("pk", flat=True)[:NEWEST])


def _shuffled(pks: Iterable[int], given_up: dict[int, Outcome]) -> list[int]:
    """Return those that are not given up, in any order."""
    found = [pk for pk in pks if pk not in given_up]
    random.shuffle(found)
    return found


def _not_given_up(
    links: "QuerySet[TrackingLink]", last: int, given_up: dict[int, Outcome]
) -> list[int]:
    """Return the first page of links after a key that has others than those given up."""
    while behind := _after(links, last):
        if any(pk not in given_up for pk in behind):
            return behind
        last = behind[-1]
    return []


def _after(links: "QuerySet[TrackingLink]", pk: int) -> list[int]:
    return list(links.filter(pk__gt=pk).values_list("pk", flat=True)[:PAGE])


def _still_behind(given_up: dict[int, Outcome]) -> int:
    behind = TrackingLink.objects.behind().values_list("pk", flat=True)
    return sum(given_up.get(pk) is not Outcome.BUSY for pk in behind)


def _raise_for_failures(pks: list[int]) -> None:
    if not pks:
        return
    numbers = Job.objects.filter(tracking_links__in=pks[:MAX_NAMED_FAILURES]).order_by("number")
    named = ", ".join(job.label for job in numbers) or "a check"
    more = f" and {len(pks) - MAX_NAMED_FAILURES} more" if len(pks) > MAX_NAMED_FAILURES else ""
    raise PublishingFailed(
        f"The tracking documents of {named}{more} were not written.",
        "Customers see the previous state until a retry succeeds; there is one every few seconds. "
        "Run publish_tracking to retry now, and check the log if it keeps failing.",
    )
