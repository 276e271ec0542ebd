"""Asking a distribution to drop paths once it has room for them.

CloudFront drops 3,000 paths of a distribution at a time, 15 of them wildcards, and takes no more
until some of them are done. It is asked what it is at only where our own requests could fill it;
where others' do, it says so itself. Source: the developer guide, "Quotas on invalidations".
"""

import time
from collections.abc import Sequence
from datetime import timedelta

from django.conf import settings
from django.db.models import Sum
from django.utils import timezone

from deployments.models import Invalidation
from deployments.plans import Run
from edge import limits
from edge.errors import BackendUnavailable, InvalidationsInProgress
from edge.protocols import Distribution

PAUSE_SECONDS = 5.0
# Most invalidations take a minute or two. Looking for one that is done costs a request.
LATELY = timedelta(hours=1)


def ask(run: Run, distribution: str, paths: Sequence[str], *, reference: str) -> None:
    """Have paths dropped, as soon as the distribution has room. The lock is kept meanwhile.

    Raises InvalidationsInProgress when it has none after EDGE_INVALIDATION_SECONDS, EdgeError,
    ChangedMeanwhile when the lock was lost.
    """
    until, told = time.monotonic() + settings.EDGE_INVALIDATION_SECONDS, False
    looks = _may_be_full(distribution, paths, reference)
    while True:
        try:
            if looks:
                _check_room(run.backend.distribution, distribution, paths)
            run.backend.distribution.invalidate(distribution, paths, reference=reference)
        except InvalidationsInProgress as full:
            if time.monotonic() >= until:
                raise
            if not told:
                run.say(f"Wait, at most {settings.EDGE_INVALIDATION_SECONDS:.0f} s: {full.message}")
        else:
            return
        looks = told = True
        run.keep_lock()
        time.sleep(PAUSE_SECONDS)


def _may_be_full(distribution: str, paths: Sequence[str], reference: str) -> bool:
    """Tell whether what we asked for lately could leave no room."""
    asked = Invalidation.objects.filter(distribution=distribution)
    if asked.filter(reference=reference).exists():
        return False  # sent again it is the same request, which is in progress or done
    lately = asked.filter(at__gte=timezone.now() - LATELY)
    before: int = lately.aggregate(paths=Sum("paths"))["paths"] or 0
    wildcards = limits.count_wildcards(paths)
    # How many of those before are wildcards is not kept: perhaps all.
    return before + len(paths) > limits.INVALIDATION_PATHS or (
        0 < wildcards > limits.INVALIDATION_WILDCARDS - before
    )


def _check_room(distributions: Distribution, distribution: str, paths: Sequence[str]) -> None:
    """Raise InvalidationsInProgress where the paths do not fit in."""
    try:
        before = distributions.in_progress(distribution)
    except BackendUnavailable:
        return  # Then CloudFront itself says whether there is room, to the request.
    if not limits.has_room(before, paths):
        noun = "path" if len(before) == 1 else "paths"
        raise InvalidationsInProgress(
            f"{distribution} is still dropping {len(before):,} {noun} and has no room for "
            f"{len(paths):,} more.",
            "Wait until it has, then run it again.",
        )
