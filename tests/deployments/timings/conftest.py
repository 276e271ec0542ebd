import json
import random
from collections import Counter

import pytest

from deployments.models import PageTiming
from deployments.timings import counting, known, views
from deployments.timings.counting import hour_of
from deployments.timings.histograms import bucket_of
from deployments.timings.limit import Limit
from edge.database_clock import database_now

ADDRESS = "/api/v1/timings/"


@pytest.fixture(autouse=True)
def fresh(settings, monkeypatch):
    """Write each report at once, and remember nothing of other tests."""
    settings.TIMINGS_WRITE_SECONDS = 0
    monkeypatch.setattr(views, "_limit", Limit())
    monkeypatch.setattr(counting, "_counts", Counter())
    monkeypatch.setattr(counting, "_writer", None)
    known.forget()
    yield
    known.forget()


@pytest.fixture
def report(client, two):
    """Return a function that reports a view of the live release, as the beacon does."""

    def report(body=None, *, origin="http://localhost", **changes):
        view = {"surface": "track", "release": two[0].name, "lcp": 1010, **changes}
        raw = json.dumps(view) if body is None else body
        headers = {"Host": "localhost", **({"Origin": origin} if origin else {})}
        return client.post(ADDRESS, raw, content_type="text/plain;charset=UTF-8", headers=headers)

    return report


@pytest.fixture
def counted():
    """Return a function that returns what was counted: (surface, metric, bucket) and how often."""
    return lambda: {
        (row.surface, row.metric, row.bucket): row.count for row in PageTiming.objects.all()
    }


@pytest.fixture
def add_views(production):
    """Return a function that counts views of a release, with random times around a median."""

    def add_views(release, count, *, seed, slower=0, errors=0, at=None, surface="track"):
        chance = random.Random(seed)
        histogram = Counter()
        for number in range(count):
            histogram["view", 0] += 1
            for metric, median in {"lcp": 800, "ttfb": 120, "document": 150}.items():
                late = slower if metric == "lcp" else 0
                histogram[metric, bucket_of(chance.lognormvariate(0, 0.6) * median + late)] += 1
            histogram["script_error", 0] += number < errors
        hour = hour_of(at or database_now())
        rows = [
            ((hour, production.pk, release.pk, surface, *one), count)
            for one, count in sorted(histogram.items())
            if count
        ]
        counting._add(rows)

    return add_views
