"""The edge function as it is shipped: one source file, used as written."""

import hashlib
from functools import cache
from pathlib import Path

SOURCE_FILE = Path(__file__).parent / "viewer_request.js"


@cache
def function_source() -> str:
    """Read the shipped function."""
    return SOURCE_FILE.read_text(encoding="utf-8")


def digest_of(source: str) -> str:
    """Name a function by its content: SHA-256 in hex."""
    return hashlib.sha256(source.encode()).hexdigest()


def function_name(environment: str) -> str:
    """Name the function that meets an environment's viewers."""
    return f"qdn-viewer-request-{environment}"
