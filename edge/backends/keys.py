"""Which keys an object can have: one rule for every back end."""

from edge.errors import KeyRefused

KEY_BYTES = 1_024  # S3's limit


def key_segments(key: str) -> list[str]:
    """Split a key at its slashes. Raises KeyRefused for what no object can be called.

    S3 itself would take `a//b` and `../a`; a folder cannot, and a path of a page never has them.
    """
    segments = key.split("/")
    if not key or len(key.encode(errors="replace")) > KEY_BYTES:
        raise KeyRefused(f"A key has 1 to {KEY_BYTES} bytes, found {key[:40]!r}.")
    if any(segment in ("", ".", "..") for segment in segments) or not key.isprintable():
        raise KeyRefused(
            f"A key is a relative path without '.', '..' and control characters, found {key!r}."
        )
    return segments
