"""The origin that answers a path, and the headers of its responses.

The local edge and the AWS template use this table. Patterns follow CloudFront: `*` matches any
characters, the first match wins, and the path is as the viewer sent it, before the edge function
rewrites it.
"""

import re
from dataclasses import dataclass
from enum import Enum

Headers = tuple[tuple[str, str], ...]

# Pages of a release have an inline stylesheet. Each restricts style-src to its hash in a meta tag,
# because this policy cannot know the hash.
CONTENT_SECURITY_POLICY = (
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'"
)
# Sent over https only; browsers ignore it on http.
STRICT_TRANSPORT = ("strict-transport-security", "max-age=31536000")
_SECURITY: Headers = (
    ("content-security-policy", CONTENT_SECURITY_POLICY),
    ("x-content-type-options", "nosniff"),
)
# With no-referrer browsers would send `Origin: null` with the booking form, which is rejected.
PUBLIC_HEADERS: Headers = (*_SECURITY, ("referrer-policy", "same-origin"))
# A tracking link is a secret: other sites must not see it, nor search engines index it.
PRIVATE_HEADERS: Headers = (
    *_SECURITY,
    ("referrer-policy", "no-referrer"),
    ("x-robots-tag", "noindex"),
)


class Origin(Enum):
    """What answers a path: Django, or the object store behind the edge function."""

    APPLICATION = "application"
    STORAGE = "storage"


@dataclass(frozen=True, slots=True)
class Behaviour:
    """How the paths of one pattern are answered. `headers` are added to every response."""

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
    """Return the behaviour of a path (percent-encoded as sent, without the query string)."""
    match = _ANY.match(path)
    assert match is not None  # noqa: S101 - the last pattern matches everything
    assert match.lastindex is not None  # noqa: S101
    return BEHAVIOURS[match.lastindex - 1]
