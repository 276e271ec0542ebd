"""Histograms with logarithmic buckets: counts by bucket number.

A bucket ends at 1.1 times its beginning, so a percentile read from it is within 10 % of the exact
one. Values below 1 share bucket 0.
"""

import math
from collections.abc import Mapping

GROWTH = 1.1
# Ten minutes in milliseconds. A larger value is not a page's.
MOST = 600_000

Histogram = Mapping[int, int]


def bucket_of(value: float) -> int:
    """Return the number of the bucket of a value from 0 to MOST."""
    return 1 + int(math.log(value, GROWTH)) if value >= 1 else 0


def size(histogram: Histogram) -> int:
    """Return how many values were counted."""
    return sum(histogram.values())


def percentile(histogram: Histogram, share: float) -> float | None:
    """Estimate the smallest value that `share` of the values (0 to 1) do not exceed."""
    rank = max(math.ceil(share * size(histogram)), 1)
    before = 0
    for bucket in sorted(histogram):
        count = histogram[bucket]
        if before + count >= rank:
            return _inside(bucket, (rank - before - 0.5) / count)
        before += count
    return None


def share_above(histogram: Histogram, value: float) -> float:
    """Estimate which share of the values exceeds one; 0 without values."""
    own = bucket_of(value)
    above = float(sum(count for bucket, count in histogram.items() if bucket > own))
    above += histogram.get(own, 0) * (1 - _position(own, value))
    return above / (size(histogram) or 1)


def _inside(bucket: int, position: float) -> float:
    """Return the value at a position (0 to 1) inside a bucket."""
    return GROWTH ** (bucket - 1 + position) if bucket else position


def _position(bucket: int, value: float) -> float:
    return math.log(value, GROWTH) - (bucket - 1) if bucket else value
