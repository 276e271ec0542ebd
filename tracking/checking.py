"""Following one change from the database to the edge, with a probe (dispatch/probes.py).

The check only observes: what publishes customers' changes has to publish this one. Afterwards it
removes what it made. What a killed check left, a later one removes; nothing of it is ever shown.
"""

import json
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from time import monotonic, sleep

from django.db import transaction
from django.utils import timezone

from dispatch.models import Job
from dispatch.probes import left_probes, make_probe, move_probe, remove_probe
from edge.database_clock import database_now
from edge.errors import EdgeError
from edge.protocols import ObjectStore, ViewerResponse
from tracking.claims import LEASE
from tracking.models import TrackingCheck, TrackingLink

# For all that is waited for. A task may take a minute, and what a worker has claimed is left.
PATIENCE_SECONDS = 30
CLAIM_SECONDS = 5
PAUSE_SECONDS = 0.05
KEPT = timedelta(days=30)
OK = 200
DOCTOR = "Run: manage.py doctor"

# Requests a path of the environment as a viewer. Raises EdgeError.
Ask = Callable[[str], ViewerResponse]


class _Stopped(Exception):
    """The check cannot go on; the message is its `problem`."""


def check_tracking(
    *, environment: str, objects: ObjectStore, ask: Ask, seconds: float = PATIENCE_SECONDS
) -> TrackingCheck:
    """Make a probe, change it, follow its document to the edge, remove it; record how that went.

    What does not arrive within `seconds` is the check's `problem`. Raises ProbeExists while another
    check runs, and ValueRefused; then nothing is recorded.
    """
    check = TrackingCheck(environment=environment)
    try:
        for left in left_probes(timezone.now()):
            _remove(left, objects)
        with transaction.atomic():
            job = make_probe()
            link = TrackingLink.objects.get(job=job)  # created with the job
        try:
            _Following(check, job, link, ask, monotonic() + seconds).run()
        finally:
            _remove(job, objects)
    except _Stopped as stopped:
        check.problem = str(stopped)
    except EdgeError as error:
        # Not its message: that may contain the document's key.
        check.problem = f"The object store did not take part ({error.code}). {DOCTOR}"
    check.save()
    return check


def forget_checks(now: datetime) -> int:
    """Delete the checks of more than 30 days ago; return how many."""
    return TrackingCheck.objects.filter(at__lt=now - KEPT).delete()[0]


class _Following:
    """One change on its way to the edge."""

    def __init__(
        self, check: TrackingCheck, job: Job, link: TrackingLink, ask: Ask, deadline: float
    ) -> None:
        self._check, self._job, self._link, self._ask = check, job, link, ask
        self._deadline = deadline
        self._seen = "nothing"

    def run(self) -> None:
        """Let the edge have the first document, so that it has to replace it. Raises _Stopped."""
        self._wait_published()
        self._wait_shown()
        check = self._check
        check.write_ms = _milliseconds(lambda: move_probe(self._job))
        check.publish_ms = _milliseconds(self._wait_published)
        check.edge_ms = _milliseconds(self._wait_shown)

    def _wait_published(self) -> None:
        if not self._wait(self._is_published):
            raise _Stopped(
                "The document of a changed job was not published in time. "
                "See that manage.py work runs, and what it prints. " + DOCTOR
            )

    def _wait_shown(self) -> None:
        if not self._wait(self._is_shown):
            raise _Stopped(
                f"The edge did not show a published document in time: it answered {self._seen}. "
                f"Run: manage.py verify --environment {self._check.environment}"
            )

    def _wait(self, holds: Callable[[], bool]) -> bool:
        """Wait until it holds; return whether it does before the deadline."""
        while not holds():
            if monotonic() >= self._deadline:
                return False
            sleep(PAUSE_SECONDS)
        return True

    def _is_published(self) -> bool:
        published = TrackingLink.objects.filter(
            pk=self._link.pk, published_revision__gte=self._job.revision
        )
        return published.exists()

    def _is_shown(self) -> bool:
        try:
            response = self._ask(f"/track/{self._link.token}.json")
        except EdgeError as error:
            self._seen = f"nothing ({error.code})"
            return False
        self._seen = str(response.status)
        revision = _revision_of(response)
        if revision is not None:
            self._seen = f"revision {revision} instead of {self._job.revision}"
        return revision is not None and revision >= self._job.revision


def _revision_of(response: ViewerResponse) -> int | None:
    """Return the revision in a document, or None for any other answer."""
    with suppress(ValueError, KeyError, TypeError):
        return int(json.loads(response.body)["revision"]) if response.status == OK else None
    return None


def _milliseconds(act: Callable[[], None]) -> int:
    began = monotonic()
    act()
    return round((monotonic() - began) * 1000)


def _remove(job: Job, objects: ObjectStore) -> None:
    """Delete a probe's document, while no worker can write it, and then its rows.

    Raises EdgeError or _Stopped; the rows are left to a later check, which knows the key from them.
    """
    links = TrackingLink.objects.filter(job=job)
    for link in links:
        _claim(link)
        objects.delete([link.key])
    with transaction.atomic():
        links.delete()
        remove_probe(job)


def _claim(link: TrackingLink) -> None:
    """Claim a link as a worker does that publishes it (tracking/publishing.py)."""
    deadline = monotonic() + CLAIM_SECONDS
    while True:
        now = database_now()
        free = TrackingLink.objects.unclaimed(lapsed_before=now - LEASE).filter(pk=link.pk)
        if free.update(claimed_at=now):
            return
        if monotonic() >= deadline:
            raise _Stopped(
                "A worker still has the document of the check, which is left to the next check. "
                + DOCTOR
            )
        sleep(PAUSE_SECONDS)
