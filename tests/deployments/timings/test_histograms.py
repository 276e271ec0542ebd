import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deployments.timings.histograms import MOST, bucket_of, percentile, share_above, size

VALUES = st.lists(st.floats(0, MOST), min_size=1, max_size=300)


def histogram_of(values):
    found = {}
    for value in values:
        found[bucket_of(value)] = found.get(bucket_of(value), 0) + 1
    return found


@given(VALUES, st.sampled_from([0.5, 0.75, 0.95]))
def test_percentile_is_within_a_tenth_of_the_exact_one(values, share):
    exact = sorted(values)[max(math.ceil(share * len(values)), 1) - 1]
    estimate = percentile(histogram_of(values), share)
    if exact < 1:
        assert 0 <= estimate <= 1.1
    else:
        assert exact / 1.1001 <= estimate <= exact * 1.1001


@given(VALUES, st.floats(0, MOST))
def test_share_above_counts_what_is_a_bucket_away(values, limit):
    share = share_above(histogram_of(values), limit)
    surely = sum(value > max(limit * 1.1001, 1.0001) for value in values) / len(values)
    perhaps = sum(value > limit / 1.1001 or value < 1 for value in values) / len(values)
    assert surely - 1e-9 <= share <= perhaps + 1e-9


@given(VALUES)
def test_every_value_has_one_bucket(values):
    assert size(histogram_of(values)) == len(values)


def test_empty_histogram_has_no_percentile():
    assert percentile({}, 0.5) is None
    assert share_above({}, 5) == 0


@pytest.mark.parametrize(("value", "bucket"), [(0, 0), (0.99, 0), (1, 1), (1.09, 1), (1.11, 2)])
def test_first_buckets(value, bucket):
    assert bucket_of(value) == bucket


def test_largest_value_fits_the_column():
    assert bucket_of(MOST) < 150
