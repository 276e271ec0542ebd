"""Pushes against the removal of shared assets: one waits for the other, and none is forgotten.

A push relies on assets that are stored already, and no manifest says so before its end. So whoever
removes assets writes a row first and looks for pushes then; whoever pushes writes the release's row
first and looks for a removal then. Whatever the order, one of the two sees the other.
"""

import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.db import IntegrityError, transaction
from django.utils import timezone

from deployments.errors import ChangedMeanwhile
from deployments.locks.deploy_lock import is_stale
from deployments.models import AssetSweep, Release
from deployments.models.releases import UNDERWAY

# Renewed with every batch, which takes seconds.
LEASE = timedelta(minutes=5)
# A removal stops at its next batch when it sees a push.
PATIENCE_SECONDS = 60.0
PAUSE_SECONDS = 0.1


def enter_push(release: Release) -> None:
    """Take a release into use for a push, and wait until nobody removes shared assets.

    One that is not complete counts as begun now. Raises ChangedMeanwhile: the release was removed
    since it was looked up, or the removal does not end.
    """
    if not Release.objects.take(release):
        raise ChangedMeanwhile(
            "release-removed",
            f"Release {release} was removed by prune meanwhile.",
            "Run the same push again: it makes a new release.",
        )
    release.refresh_from_db()
    if release.completed_at is None:
        release.created_at = timezone.now()
        release.save(update_fields=["created_at"])
    deadline = time.monotonic() + PATIENCE_SECONDS
    while sweep := _underway():
        if time.monotonic() > deadline:
            raise ChangedMeanwhile(
                "assets-swept",
                f"{sweep.holder} removes shared assets that no release refers to.",
                "Run the same push again in a minute.",
            )
        time.sleep(PAUSE_SECONDS)


def leave_push(release: Release) -> None:
    """Make sure that a push was never left to retention, before its release may exist.

    One that paused for longer than `UNDERWAY` may have lost what it uploaded. Raises
    ChangedMeanwhile.
    """
    rows = Release.objects.underway() | Release.objects.complete()
    if not rows.filter(pk=release.pk).exists():
        raise ChangedMeanwhile(
            "push-paused",
            f"The push of {release} took longer than {UNDERWAY.days} day, after which prune may "
            "remove what it uploaded.",
            "Run the same push again: it looks for every file, and writes what is gone.",
        )


@contextmanager
def sweep_lock(*, holder: str) -> Iterator[AssetSweep]:
    """Be the one who removes shared assets. Raises ChangedMeanwhile while somebody else does."""
    held = _begin(holder)
    try:
        yield held
    finally:
        AssetSweep.objects.filter(pk=held.pk).delete()


def renew(sweep: AssetSweep) -> None:
    """Extend the lease. Raises ChangedMeanwhile when it ran out and was taken over."""
    expires_at = timezone.now() + LEASE
    if not AssetSweep.objects.filter(pk=sweep.pk).update(expires_at=expires_at):
        raise ChangedMeanwhile(
            "sweep-lost",
            "This removal of shared assets paused for so long that others went on without it.",
            "Run: manage.py prune --yes",
        )


def _begin(holder: str) -> AssetSweep:
    if sweep := _underway():
        raise _held(sweep)
    try:
        with transaction.atomic():
            return AssetSweep.objects.create(
                holder=holder,
                host=socket.gethostname(),
                pid=os.getpid(),
                expires_at=timezone.now() + LEASE,
            )
    except IntegrityError:
        raise _held(AssetSweep.objects.first()) from None


def _underway() -> AssetSweep | None:
    """Find who removes assets; a row whose process is gone is removed."""
    sweep = AssetSweep.objects.first()
    if sweep is None or not is_stale(sweep):
        return sweep
    AssetSweep.objects.filter(pk=sweep.pk).delete()
    return None


def _held(sweep: AssetSweep | None) -> ChangedMeanwhile:
    return ChangedMeanwhile(
        "assets-swept",
        f"{sweep.holder if sweep else 'Somebody'} removes shared assets already.",
        "Wait until that is done, then run: manage.py prune --yes",
    )
