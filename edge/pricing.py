"""The prices of a back end, and those of CloudFront and S3.

Sources: the "Invalidation requests" section of CloudFront's price list; S3's price list, "PUT,
COPY, POST, LIST requests" to S3 Standard in us-east-1.
"""

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Pricing:
    """What invalidations and writing objects cost.

    A number of invalidated paths per month and account is free, then each has a fixed price. A path
    that ends in `*` counts as one path.
    """

    free_paths: int
    dollars_per_path: Decimal
    dollars_per_write: Decimal

    def price(self, paths: int, *, used: int) -> Decimal:
        """Return the price of `paths` in dollars after `used` paths this month."""
        free = max(0, self.free_paths - used)
        return max(0, paths - free) * self.dollars_per_path

    def price_of_writes(self, requests: int) -> Decimal:
        """Return the price of requests that write objects, in dollars."""
        return requests * self.dollars_per_write


CLOUDFRONT = Pricing(
    free_paths=1_000,
    dollars_per_path=Decimal("0.005"),
    dollars_per_write=Decimal("0.000005"),
)
