"""What CloudFront takes at most, for every back end.

Source: the developer guide's pages "Quotas" (CloudFront Functions, CloudFront KeyValueStore,
invalidations) and "Serving compressed files".
"""

from collections.abc import Mapping, Sequence

from edge.errors import LimitExceeded

FUNCTION_SOURCE_BYTES = 10_240
FUNCTION_MEMORY_BYTES = 2 * 1024 * 1024
KEY_BYTES = 512
# The guide says 1 KB for the value; taking key and value together is the careful reading.
ENTRY_BYTES = 1_024
UPDATE_KEYS = 50
UPDATE_BYTES = 3 * 1024 * 1024
INVALIDATION_PATHS = 3_000
INVALIDATION_WILDCARDS = 15
# Beyond it CloudFront throttles the function ("Test functions": compute utilization).
UTILIZATION_PERCENT = 70
COMPRESSED_BYTES = range(1_000, 10_000_001)


def check_function_source(source: str) -> None:
    """Raise LimitExceeded for a function longer than 10,240 bytes."""
    size = len(source.encode())
    if size > FUNCTION_SOURCE_BYTES:
        raise LimitExceeded(
            f"A function may have {FUNCTION_SOURCE_BYTES} bytes, this one has {size}.",
            "Shorten its comments or move data into the key-value store.",
        )


def check_update(*, puts: Mapping[str, str], deletes: Sequence[str]) -> None:
    """Raise LimitExceeded for an update of a key-value store that CloudFront would refuse."""
    if len(puts) + len(deletes) > UPDATE_KEYS:
        raise LimitExceeded(
            f"One update may name {UPDATE_KEYS} keys, this one names {len(puts) + len(deletes)}.",
            "Split it, or give the environment fewer hosts.",
        )
    for key, value in puts.items():
        _check_entry(key=key, value=value)
    size = sum(len(key.encode()) + len(value.encode()) for key, value in puts.items())
    if size > UPDATE_BYTES:
        raise LimitExceeded(f"One update may hold {UPDATE_BYTES} bytes, this one holds {size}.")


def count_wildcards(paths: Sequence[str]) -> int:
    """Count the paths that name more than one file."""
    return sum(path.endswith("*") for path in paths)


def has_room(in_progress: Sequence[str], paths: Sequence[str]) -> bool:
    """Tell whether a distribution that is dropping some paths takes more."""
    together = [*in_progress, *paths]
    wildcards = count_wildcards(together)
    return len(together) <= INVALIDATION_PATHS and wildcards <= INVALIDATION_WILDCARDS


def check_invalidation(paths: Sequence[str]) -> None:
    """Raise LimitExceeded for more paths than a distribution takes at once."""
    wildcards = count_wildcards(paths)
    if len(paths) > INVALIDATION_PATHS:
        raise LimitExceeded(
            f"One invalidation may name {INVALIDATION_PATHS:,} paths, this one names "
            f"{len(paths):,}.",
            "Fold paths into one that ends in '*', or split them.",
        )
    if wildcards > INVALIDATION_WILDCARDS:
        raise LimitExceeded(
            f"One invalidation may name {INVALIDATION_WILDCARDS} paths that end in '*', this one "
            f"names {wildcards}.",
            "Fold them further: '/*' is one path.",
        )


def check_utilization(percent: int | None) -> None:
    """Raise LimitExceeded for a function that CloudFront would throttle; None is not known."""
    if percent is not None and percent > UTILIZATION_PERCENT:
        raise LimitExceeded(
            f"The function took {percent} % of the time CloudFront allows; beyond "
            f"{UTILIZATION_PERCENT} % it is throttled.",
            "Do less in it: fewer reads of the key-value store, fewer digests.",
        )


def _check_entry(*, key: str, value: str) -> None:
    key_size = len(key.encode())
    if not 0 < key_size <= KEY_BYTES:
        raise LimitExceeded(
            f"A key may have 1 to {KEY_BYTES} bytes, {key[:40]!r} has {key_size}.",
            "Shorten the host name or the environment's name.",
        )
    size = key_size + len(value.encode())
    if size > ENTRY_BYTES:
        raise LimitExceeded(
            f"Key and value together may have {ENTRY_BYTES} bytes, {key!r} has {size}.",
            "A routing document names releases only; keep everything else elsewhere.",
        )
