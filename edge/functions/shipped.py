"""The edge function as shipped: one source file without its comments and white space."""

import hashlib
from functools import cache
from pathlib import Path

from rjsmin import jsmin

SOURCE_FILE = Path(__file__).parent / "viewer_request.js"


@cache
def function_source() -> str:
    """Return the source that is tested, published and run.

    CloudFront limits its size. Imports stay as written, one to a line: tools look for them.
    """
    written = SOURCE_FILE.read_text(encoding="utf-8")
    imports = [line for line in written.splitlines() if line.startswith("import ")]
    body = written.partition(imports[-1])[2]
    return "\n".join([*imports, jsmin(body).strip(), ""])


def digest_of(source: str) -> str:
    """Return the SHA-256 of a function's source in hex."""
    return hashlib.sha256(source.encode()).hexdigest()


def function_name(environment: str) -> str:
    """Return the name of an environment's function."""
    return f"qdn-viewer-request-{environment}"
