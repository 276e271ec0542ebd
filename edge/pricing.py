"""The prices of a back end, and those of CloudFront.

Source: the "Invalidation requests" section of CloudFront's price list.
"""

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Pricing:
    """What invalidations cost: a number of free paths per month and account, then a fixed price.

    A path that ends in `*` counts as one path.
    """

    free_paths: int
    dollars_per_path: Decimal

    def price(self, paths: int, *, used: int) -> Decimal:
        """Return the price of `paths` in dollars after `used` paths this month."""
        free = max(0, self.free_paths - used)
        return max(0, paths - free) * self.dollars_per_path


CLOUDFRONT = Pricing(free_paths=1_000, dollars_per_path=Decimal("0.005"))
