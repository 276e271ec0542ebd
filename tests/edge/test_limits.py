"""The limits of CloudFront."""

import pytest

from edge.errors import LimitExceeded
from edge.limits import CLOUDFRONT


def test_values_within_the_limits():
    CLOUDFRONT.check_function_source("x" * 10_240)
    CLOUDFRONT.check_update(puts={"k" * 512: "v" * 512}, deletes=["x"] * 49)
    CLOUDFRONT.check_invalidation([f"/{number}" for number in range(2_985)] + ["/*"] * 15)
    CLOUDFRONT.check_utilization(70)
    CLOUDFRONT.check_utilization(None)


def test_bytes_count_not_characters():
    with pytest.raises(LimitExceeded, match="10,240 bytes"):
        CLOUDFRONT.check_function_source("\u00e9" * 5_121)
    with pytest.raises(LimitExceeded, match="1,024 bytes"):
        CLOUDFRONT.check_update(puts={"k": "\u00e9" * 512}, deletes=[])


def test_puts_and_deletes_count_together():
    with pytest.raises(LimitExceeded, match="50 keys"):
        CLOUDFRONT.check_update(puts={"a": "1"}, deletes=["x"] * 50)


@pytest.mark.parametrize("paths", [["/a"] * 3_001, ["/*"] * 16])
def test_paths_and_wildcards_of_an_invalidation(paths):
    with pytest.raises(LimitExceeded):
        CLOUDFRONT.check_invalidation(paths)


def test_utilization():
    with pytest.raises(LimitExceeded, match="71%"):
        CLOUDFRONT.check_utilization(71)


@pytest.mark.parametrize(
    ("in_progress", "paths", "allowed"),
    [
        (2_999, ["/a"], True),
        (3_000, ["/a"], False),
        (0, ["/*"] * 15, True),
        (0, ["/*"] * 16, False),
    ],
)
def test_paths_in_progress_count_too(in_progress, paths, allowed):
    assert CLOUDFRONT.allow_invalidation(["/b"] * in_progress, paths) is allowed
