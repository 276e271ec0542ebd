"""The edge function as shipped: one source file, used as written."""

import hashlib
from functools import cache
from pathlib import Path

SOURCE_FILE = Path(__file__).parent / "viewer_request.js"


@cache
def function_source() -> str:
    """Return the source of the shipped function."""
    return SOURCE_FILE.read_text(encoding="utf-8")


def digest_of(source: str) -> str:
    """Return the SHA-256 of a function's source in hex."""
    return hashlib.sha256(source.encode()).hexdigest()


def function_name(environment: str) -> str:
    """Return the name of an environment's function."""
    return f"qdn-viewer-request-{environment}"
