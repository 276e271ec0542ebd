"""The limits of a back end, and those of CloudFront.

Sources: the developer guide's "Quotas" (CloudFront Functions, CloudFront KeyValueStore,
invalidations) and "Test functions" (compute utilization).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from edge.errors import LimitExceeded


@dataclass(frozen=True, slots=True)
class Limits:
    """The most a back end accepts. Every `check_` method raises LimitExceeded.

    `entry_bytes` counts a key and its value together. `invalidation_paths` and
    `invalidation_wildcards` (paths that end in `*`) apply to one request and to everything that a
    distribution has in progress.
    """

    function_source_bytes: int
    function_utilization_percent: int
    key_bytes: int
    entry_bytes: int
    update_keys: int
    update_bytes: int
    invalidation_paths: int
    invalidation_wildcards: int

    def check_function_source(self, source: str) -> None:
        """Check the size of a function's source."""
        size = len(source.encode())
        if size > self.function_source_bytes:
            raise LimitExceeded(
                f"A function can have {self.function_source_bytes:,} bytes; this one has {size:,}.",
                "Shorten its comments or move data into the key-value store.",
            )

    def check_utilization(self, percent: int | None) -> None:
        """Check the share of its time that a test run took; None means that it is unknown."""
        if percent is not None and percent > self.function_utilization_percent:
            raise LimitExceeded(
                f"The function used {percent}% of the time it is allowed. Above "
                f"{self.function_utilization_percent}% it is throttled.",
                "Make it do less: fewer reads of the key-value store, fewer digests.",
            )

    def check_update(self, *, puts: Mapping[str, str], deletes: Sequence[str]) -> None:
        """Check one update of the key-value store."""
        keys = len(puts) + len(deletes)
        if keys > self.update_keys:
            raise LimitExceeded(
                f"One update can write and delete {self.update_keys} keys; this one has {keys}.",
                "Split it, or give the environment fewer hosts.",
            )
        for key, value in puts.items():
            self._check_entry(key, value)
        size = sum(len(key.encode()) + len(value.encode()) for key, value in puts.items())
        if size > self.update_bytes:
            raise LimitExceeded(
                f"One update can hold {self.update_bytes:,} bytes; this one holds {size:,}.",
                "Split it.",
            )

    def check_invalidation(self, paths: Sequence[str]) -> None:
        """Check the paths of one invalidation."""
        if len(paths) > self.invalidation_paths:
            raise LimitExceeded(
                f"One invalidation can have {self.invalidation_paths:,} paths; this one has "
                f"{len(paths):,}.",
                "Replace paths by one that ends in '*', or split them.",
            )
        wildcards = count_wildcards(paths)
        if wildcards > self.invalidation_wildcards:
            raise LimitExceeded(
                f"One invalidation can have {self.invalidation_wildcards} paths that end in '*'; "
                f"this one has {wildcards}.",
                "Use fewer, broader paths: '/*' is one path.",
            )

    def allow_invalidation(self, in_progress: Sequence[str], paths: Sequence[str]) -> bool:
        """Whether a distribution accepts paths while it still drops those in progress."""
        together = [*in_progress, *paths]
        return (
            len(together) <= self.invalidation_paths
            and count_wildcards(together) <= self.invalidation_wildcards
        )

    def _check_entry(self, key: str, value: str) -> None:
        key_size = len(key.encode())
        if not 0 < key_size <= self.key_bytes:
            raise LimitExceeded(
                f"A key can have 1 to {self.key_bytes} bytes; {key[:40]!r} has {key_size}.",
                "Shorten the host name or the environment's name.",
            )
        size = key_size + len(value.encode())
        if size > self.entry_bytes:
            raise LimitExceeded(
                f"A key and its value can have {self.entry_bytes:,} bytes together; {key!r} has "
                f"{size:,}.",
                "Keep only release names in a routing document, and everything else elsewhere.",
            )


CLOUDFRONT = Limits(
    function_source_bytes=10_240,
    function_utilization_percent=70,
    key_bytes=512,
    # The guide says 1 KB for the value; counting the key too is the cautious reading.
    entry_bytes=1_024,
    update_keys=50,
    update_bytes=3 * 1024 * 1024,
    invalidation_paths=3_000,
    invalidation_wildcards=15,
)


def count_wildcards(paths: Sequence[str]) -> int:
    """Count the paths that end in `*`."""
    return sum(path.endswith("*") for path in paths)
