"""Which origin answers a path, and which headers its responses get: one table for everybody.

The local edge, the AWS template and the documentation read it. Patterns are CloudFront's: `*` is
any run of characters, the first match wins, and they meet the path as the viewer sent it, before
the edge function rewrites it.
"""

import re
from dataclasses import dataclass
from enum import Enum

Headers = tuple[tuple[str, str], ...]

# Pages of a release inline their stylesheet; each tightens style-src to its hash with a meta
# policy of its own, which this one cannot know.
CONTENT_SECURITY_POLICY = (
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'"
)
# Sent over https only: a browser ignores it elsewhere.
STRICT_TRANSPORT = ("strict-transport-security", "max-age=31536000")
_SECURITY: Headers = (
    ("content-security-policy", CONTENT_SECURITY_POLICY),
    ("x-content-type-options", "nosniff"),
)
# no-referrer would make browsers send `Origin: null` with the booking form, which is refused.
PUBLIC_HEADERS: Headers = (*_SECURITY, ("referrer-policy", "same-origin"))
# A tracking link is a secret: no other site learns it, no search engine keeps it.
PRIVATE_HEADERS: Headers = (
    *_SECURITY,
    ("referrer-policy", "no-referrer"),
    ("x-robots-tag", "noindex"),
)


class Origin(Enum):
    """Who answers: Django, or the object store behind the edge function."""

    APPLICATION = "application"
    STORAGE = "storage"


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What happens to the paths of one pattern. `headers` are put on every response."""

    pattern: str
    origin: Origin
    headers: Headers = ()


BEHAVIOURS: tuple[Behaviour, ...] = (
    Behaviour("/api/*", Origin.APPLICATION),
    Behaviour("/admin/*", Origin.APPLICATION),
    Behaviour("/crew/*", Origin.APPLICATION),
    Behaviour("/static/*", Origin.APPLICATION),
    Behaviour("/media/*", Origin.APPLICATION),
    Behaviour("/book/request/*", Origin.APPLICATION),
    Behaviour("/t/*", Origin.APPLICATION),
    Behaviour("/healthz", Origin.APPLICATION),
    # /track/..., /track-staging/..., /track.html
    Behaviour("/track*", Origin.STORAGE, PRIVATE_HEADERS),
    Behaviour("*", Origin.STORAGE, PUBLIC_HEADERS),
)


def _expression(pattern: str) -> str:
    return "".join(".*" if char == "*" else re.escape(char) for char in pattern)


_ANY = re.compile("|".join(f"({_expression(item.pattern)})\\Z" for item in BEHAVIOURS), re.DOTALL)


def behaviour_for(path: str) -> Behaviour:
    """Find the behaviour of a path (raw, percent-encoded, without the query string)."""
    match = _ANY.match(path)
    assert match is not None  # noqa: S101 - the last pattern matches everything
    assert match.lastindex is not None  # noqa: S101
    return BEHAVIOURS[match.lastindex - 1]
