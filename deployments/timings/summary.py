"""What was counted, summed up: percentiles and error shares of each release and surface."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet, Sum

from deployments.models import Environment, Metric, PageTiming
from deployments.timings.histograms import percentile, size
from deployments.timings.reading import ERRORS, NUMBERS
from edge.database_clock import database_now

DAY = timedelta(days=1)
PERCENTILES = {"p50": 0.5, "p75": 0.75, "p95": 0.95}
_FROM_SHIFT = 1000  # CLS is counted in thousandths


@dataclass(frozen=True, slots=True)
class Summary:
    """The histograms of a release's views of one surface, by metric."""

    release: str
    surface: str
    histograms: dict[str, dict[int, int]] = field(default_factory=lambda: defaultdict(dict))

    def size(self, metric: str) -> int:
        """Return how many views had a value of a metric."""
        return size(self.histograms.get(metric, {}))

    @property
    def views(self) -> int:
        return self.size(Metric.VIEW)

    @property
    def errors(self) -> int:
        """How many views had an error."""
        return sum(self.size(metric) for metric in ERRORS.values())

    @property
    def error_share(self) -> float:
        """The share of views with an error, 0 to 1."""
        return self.errors / self.views if self.views else 0

    def percentile(self, metric: str, share: float) -> float | None:
        """Estimate a percentile: milliseconds, and CLS as it is usually given."""
        found = percentile(self.histograms.get(metric, {}), share)
        return found / _FROM_SHIFT if found is not None and metric == Metric.CLS else found

    def as_json(self) -> dict[str, Any]:
        """Return the summary for --json."""
        return {
            "release": self.release,
            "surface": self.surface,
            "views": self.views,
            "errors": {kind: self.size(metric) for kind, metric in ERRORS.items()},
            "error_share": round(self.error_share, 5),
            "metrics": {one.value: self._metric(one) for one in NUMBERS if self.size(one)},
        }

    def _metric(self, metric: Metric) -> dict[str, float]:
        digits = 3 if metric == Metric.CLS else 0
        values = {
            name: round(self.percentile(metric, share) or 0, digits)
            for name, share in PERCENTILES.items()
        }
        return {**values, "samples": self.size(metric)}


def lately(environment: Environment) -> list[Summary]:
    """Sum up the last day of the releases that viewers see: the live one and a canary."""
    seen = [one.release_id for one in (environment.live, environment.canary) if one]
    since = database_now() - DAY
    return summed(environment.timings.filter(hour__gte=since, release__in=seen))


def summed(rows: QuerySet[PageTiming]) -> list[Summary]:
    """Sum rows up by release and surface: the newest release first."""
    fields = ("release_id", "release__name", "surface", "metric", "bucket")
    found: dict[tuple[int, str], Summary] = {}
    counted: Iterable[tuple[int, str, str, str, int, int]] = (
        rows.order_by().values_list(*fields).annotate(Sum("count"))
    )
    for release, name, surface, metric, bucket, count in counted:
        one = found.setdefault((release, surface), Summary(name, surface))
        one.histograms[metric][bucket] = count
    return [found[key] for key in sorted(found, key=lambda key: (-key[0], key[1]))]


def by_time(rows: QuerySet[PageTiming], start: datetime, period: int) -> dict[int, Summary]:
    """Sum rows of one surface up by period, in seconds since `start`: by the period's number."""
    counted = (
        rows.order_by().values_list("hour", "surface", "metric", "bucket").annotate(Sum("count"))
    )
    found: dict[int, Summary] = {}
    for hour, surface, metric, bucket, count in counted:
        slot = int((hour - start).total_seconds()) // period
        histogram = found.setdefault(slot, Summary("", surface)).histograms[metric]
        histogram[bucket] = histogram.get(bucket, 0) + count
    return found
