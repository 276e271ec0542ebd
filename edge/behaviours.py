"""The origin that answers a path, the headers of its responses, and how long the edge keeps them.

The local edge and the AWS template use this table. Patterns follow CloudFront: `*` matches any
characters, the first match wins, and the path is as the viewer sent it, before the edge function
rewrites it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

Headers = tuple[tuple[str, str], ...]

# Pages of a release have an inline stylesheet. Each restricts style-src to its hash in a meta tag,
# because this policy cannot know the hash.
CONTENT_SECURITY_POLICY = (
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'"
)
YEAR_SECONDS = 31_536_000
# Says that the process serves requests, even while everything else is down.
ALIVE = "/healthz"
# What prices and free windows depend on (tracking/offers.py).
OFFER_PARAMETERS = ("zip", "service", "load", "days", "lang")
# Sent over https only; browsers ignore it on http.
STRICT_TRANSPORT = ("strict-transport-security", f"max-age={YEAR_SECONDS}")
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
    """How the paths of one pattern are answered. `headers` are added to every response.

    `minimum_ttl`: for how many seconds the edge keeps an object at least, regardless of the cache
    rule that viewers get. Above 0 it is for paths that lead only to keys with a release in them,
    which tests/edge/functions/test_properties.py checks: no switch changes what such a key holds.

    `cached_by`: the query parameters of an answer of the application that the edge keeps for as
    long as the answer says; it has no other parameters and no cookies. Empty: the edge keeps none.
    """

    pattern: str
    origin: Origin
    headers: Headers = ()
    minimum_ttl: int = 0
    cached_by: tuple[str, ...] = ()


BEHAVIOURS: tuple[Behaviour, ...] = (
    Behaviour("/api/v1/windows", Origin.APPLICATION, cached_by=OFFER_PARAMETERS),
    Behaviour("/api/*", Origin.APPLICATION),
    Behaviour("/admin/*", Origin.APPLICATION),
    Behaviour("/crew/*", Origin.APPLICATION),
    Behaviour("/static/*", Origin.APPLICATION),
    Behaviour("/media/*", Origin.APPLICATION),
    Behaviour("/book/request/*", Origin.APPLICATION),
    Behaviour("/t/*", Origin.APPLICATION),
    Behaviour(ALIVE, Origin.APPLICATION),
    Behaviour("/readyz", Origin.APPLICATION),
    # Tracking documents: /track/<token>.json, /track-staging/<token>.json
    Behaviour("/track*.json", Origin.STORAGE, PRIVATE_HEADERS),
    # /track/..., /track-staging/..., /track.html
    Behaviour("/track*", Origin.STORAGE, PRIVATE_HEADERS, minimum_ttl=YEAR_SECONDS),
    # Shared by all releases. An asset's own rule lets caches keep it; nothing keeps its absence.
    Behaviour("/assets/*", Origin.STORAGE, PUBLIC_HEADERS),
    Behaviour("/_next/static/*", Origin.STORAGE, PUBLIC_HEADERS),
    Behaviour("/_astro/*", Origin.STORAGE, PUBLIC_HEADERS),
    Behaviour("/_app/immutable/*", Origin.STORAGE, PUBLIC_HEADERS),
    # CloudFront itself fetches the error page from here.
    Behaviour("/errors/*", Origin.STORAGE, PUBLIC_HEADERS),
    Behaviour("*", Origin.STORAGE, PUBLIC_HEADERS, minimum_ttl=YEAR_SECONDS),
)

# What is left where Django answers no path.
STORED = tuple(item for item in BEHAVIOURS if item.origin is Origin.STORAGE)


def _expression(pattern: str) -> str:
    return "".join(".*" if char == "*" else re.escape(char) for char in pattern)


class _Table:
    """Behaviours, of which the first that matches a path applies."""

    def __init__(self, behaviours: tuple[Behaviour, ...]) -> None:
        self._behaviours = behaviours
        patterns = (f"({_expression(item.pattern)})\\Z" for item in behaviours)
        self._any = re.compile("|".join(patterns), re.DOTALL)

    def find(self, path: str) -> Behaviour:
        match = self._any.match(path)
        assert match is not None  # noqa: S101 - the last pattern matches everything
        assert match.lastindex is not None  # noqa: S101
        return self._behaviours[match.lastindex - 1]


_EVERY = _Table(BEHAVIOURS)
_STORAGE = _Table(STORED)


def behaviour_for(path: str, *, application: bool = True) -> Behaviour:
    """Return the behaviour of a path (percent-encoded as sent, without the query string).

    Without `application` it is one of storage: Django has no paths.
    """
    return (_EVERY if application else _STORAGE).find(path)


def with_own_headers(defaults: Headers, own: Mapping[str, str]) -> Headers:
    """Return headers with an environment's own, which replace those of the same name.

    A header whose own value is empty is left out.
    """
    kept = [(name, value) for name, value in defaults if name not in own]
    return (*kept, *((name, value) for name, value in own.items() if value))
