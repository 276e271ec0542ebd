"""The pace of requests: botocore's adaptive mode, for requests that botocore does not send.

While the service throttles, fewer are sent a second, and more again as it takes them: the rate
limiter of botocore itself, asked before each request and told of each answer.
"""

from typing import Any

from botocore.retries import adaptive, bucket, throttling

from edge.backends.aws.errors import THROTTLED


class Pace:
    """Slows the requests of any number of threads down while the service throttles them."""

    def __init__(self) -> None:
        clock = bucket.Clock()
        self._limiter = adaptive.ClientRateLimiter(
            rate_adjustor=throttling.CubicCalculator(
                starting_max_rate=0, start_time=clock.current_time()
            ),
            rate_clocker=adaptive.RateClocker(clock),
            token_bucket=bucket.TokenBucket(max_rate=1, clock=clock),
            throttling_detector=_ByCode(),
            clock=clock,
        )

    def wait(self) -> None:
        """Wait until a request may be sent; at once where nothing was throttled yet."""
        self._limiter.on_sending_request(request=None)

    def learn(self, code: str) -> None:
        """Learn from the error code of an answer, or from nothing where it was none."""
        self._limiter.on_receiving_response(code=code)


class _ByCode:
    """Tells throttling by the error code, which is all the limiter asks its detector for."""

    def is_throttling_error(self, *, code: str, **context: Any) -> bool:
        return code in THROTTLED
