"""Whether a canary's pages are worse for their viewers than the live release's.

Only hours in which viewers saw both are compared, and each surface by itself.

A time is worse if more than a quarter of the canary's values exceed the limit: the live release's
75th percentile with the margin added, or LEAST_MS if that is more. More means by CERTAIN
standard errors, of both sides' samples: by chance once in 700 comparisons of a canary exactly at
the limit. An equal one stays far below, because the margin is in between. Errors are worse if their
share is: with the margin added, by a point at least, and by more standard errors, because of few
errors an equal canary often has twice as many.
"""

from collections.abc import Iterator
from datetime import datetime
from math import sqrt

from deployments.models import Environment, Metric, PageTiming, Release
from deployments.timings.histograms import percentile, share_above
from deployments.timings.summary import Summary, summed

WATCHED = {
    Metric.LCP: "LCP",
    Metric.TTFB: "TTFB",
    Metric.DOCUMENT: "document time",
}
P75 = 0.75
# Samples that each side needs.
LEAST = 200
# Of a page that takes a few milliseconds, no one sees a share.
LEAST_MS = 20
CERTAIN = 3.0
CERTAIN_OF_ERRORS = 4.0
LEAST_ERRORS = 10
LEAST_POINTS = 0.01


def find_worse(
    environment: Environment, *, canary: Release, live: Release, since: datetime, margin: int
) -> str | None:
    """Return in words what of a canary is worse by more than `margin` percent, if anything is."""
    rows = PageTiming.objects.filter(environment=environment, hour__gte=since)
    seen = rows.filter(release=canary).values("hour")
    sides = summed(rows.filter(release__in=[canary, live], hour__in=seen))
    by_side = {(one.release, one.surface): one for one in sides}
    for (release, surface), theirs in by_side.items():
        ours = by_side.get((live.name, surface))
        if release == canary.name and ours:
            for why in worse(theirs, ours, margin):
                return f"{surface}: {why}"
    return None


def worse(canary: Summary, live: Summary, margin: int) -> Iterator[str]:
    """Yield in words what of a canary is worse by more than `margin` percent."""
    for metric, name in WATCHED.items():
        if _is_slower(canary, live, metric, margin):
            yield (
                f"{name} p75 {_ms(canary, metric)} against {_ms(live, metric)} with {margin}% "
                f"allowed, {canary.size(metric):,} and {live.size(metric):,} samples"
            )
    if _fails_more(canary, live, margin):
        yield (
            f"errors in {canary.error_share:.1%} of views against {live.error_share:.1%} with "
            f"{margin}% allowed, {canary.views:,} and {live.views:,} views"
        )


def _is_slower(canary: Summary, live: Summary, metric: Metric, margin: int) -> bool:
    here, there = canary.size(metric), live.size(metric)
    if min(here, there) < LEAST:
        return False
    usual = percentile(live.histograms[metric], P75) or 0
    limit = usual + max(usual * margin / 100, LEAST_MS)
    excess = share_above(canary.histograms[metric], limit) - (1 - P75)
    return excess > CERTAIN * sqrt(P75 * (1 - P75) * (1 / here + 1 / there))


def _fails_more(canary: Summary, live: Summary, margin: int) -> bool:
    here, there = canary.views, live.views
    if min(here, there) < LEAST or canary.errors < LEAST_ERRORS:
        return False
    allowed = live.error_share * (1 + margin / 100)
    excess = canary.error_share - max(allowed, live.error_share + LEAST_POINTS)
    usual = (canary.errors + live.errors) / (here + there)
    return excess > 0 and canary.error_share - allowed > CERTAIN_OF_ERRORS * sqrt(
        usual * (1 - usual) * (1 / here + 1 / there)
    )


def _ms(summary: Summary, metric: Metric) -> str:
    return f"{summary.percentile(metric, P75):,.0f} ms"
