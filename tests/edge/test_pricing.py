"""The prices of CloudFront."""

from decimal import Decimal

import pytest

from edge.pricing import CLOUDFRONT


@pytest.mark.parametrize(
    ("paths", "used", "dollars"),
    [(12, 0, "0"), (1_000, 0, "0"), (1_001, 0, "0.005"), (12, 995, "0.035"), (12, 4_000, "0.06")],
)
def test_first_thousand_paths_of_a_month_are_free(paths, used, dollars):
    assert CLOUDFRONT.price(paths, used=used) == Decimal(dollars)
