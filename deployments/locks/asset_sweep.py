"""Pushes and the removal of shared assets: one waits for the other.

A push relies on assets that are already stored, and no manifest says so before its end. So a
removal first writes a row and then checks for pushes; a push first writes its release's row and
then checks for a removal. In any order, one of the two sees the other.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from deployments.errors import ChangedMeanwhile
from deployments.locks import lease
from deployments.models import AssetSweep, Release
from deployments.models.releases import UNDERWAY
from deployments.wording import plural
from edge.database_clock import database_now

# A removal stops at its next batch when it sees a push.
PATIENCE_SECONDS = 60.0
PAUSE_SECONDS = 0.1


def enter_push(release: Release) -> None:
    """Take a release into use for a push, and wait until no shared assets are being removed.

    An incomplete release counts as begun now. Raises ChangedMeanwhile if the release was removed
    after it was looked up, or if the removal of assets does not end.
    """
    if not Release.objects.take(release):
        raise ChangedMeanwhile(
            "release-removed",
            f"Release {release} was removed by prune in the meantime.",
            "Run the same push again: it makes a new release.",
        )
    release.refresh_from_db()
    if release.completed_at is None:
        release.created_at = database_now()
        release.save(update_fields=["created_at"])
    deadline = time.monotonic() + PATIENCE_SECONDS
    while sweep := lease.find_held(AssetSweep.objects.all()):
        if time.monotonic() > deadline:
            raise ChangedMeanwhile(
                "assets-swept",
                f"{sweep.holder} is removing shared assets that no release refers to.",
                "Run the same push again in a minute.",
            )
        time.sleep(PAUSE_SECONDS)


def leave_push(release: Release) -> None:
    """Check that retention has left a push alone all along, before its release may exist.

    A push that paused for longer than `UNDERWAY` may have lost what it uploaded. Raises
    ChangedMeanwhile.
    """
    rows = Release.objects.underway() | Release.objects.complete()
    if not rows.filter(pk=release.pk).exists():
        raise ChangedMeanwhile(
            "push-paused",
            f"The push of {release} took longer than {plural(UNDERWAY.days, 'day')}, after which "
            "prune may remove what it uploaded.",
            "Run the same push again: it checks every file and uploads those that are missing.",
        )


@contextmanager
def sweep_lock(*, holder: str) -> Iterator[AssetSweep]:
    """Hold the right to remove shared assets. Raises ChangedMeanwhile (`assets-swept`)."""
    sweep = lease.acquire(AssetSweep.objects.all(), refusal=_refusal, holder=holder)
    try:
        yield sweep
    finally:
        lease.release(sweep)


def renew(sweep: AssetSweep) -> None:
    """Extend the lease. Raises ChangedMeanwhile if it expired and was taken over."""
    if not lease.renew(sweep):
        raise ChangedMeanwhile(
            "sweep-lost",
            "This removal of shared assets paused for so long that another run took it over.",
            "Run: manage.py prune --yes",
        )


def _refusal(held: AssetSweep | None) -> ChangedMeanwhile:
    return ChangedMeanwhile(
        "assets-swept",
        f"{held.holder if held else 'Another run'} is already removing shared assets.",
        "When that is done, run: manage.py prune --yes",
    )
