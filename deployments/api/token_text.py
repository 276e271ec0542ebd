"""The text of a token: random bytes, and a tag that shows that this installation made it.

The tag is keyed by SECRET_KEY, so forged tokens are recognized without the database. The web worker
relies on this before it takes a large body (qdn/large_bodies.py). Imports no models.
"""

import hashlib
import re
import secrets

from django.utils.crypto import constant_time_compare, salted_hmac

RANDOM_BYTES, TAG_DIGITS = 32, 32
_SALT = "deployments.api.token"
_TOKEN = re.compile(rf"qdn_([A-Za-z0-9_-]{{43}})_([0-9a-f]{{{TAG_DIGITS}}})")


def make_token() -> str:
    """Return a new token."""
    random = secrets.token_urlsafe(RANDOM_BYTES)
    return f"qdn_{random}_{_tag(random)}"


def is_genuine(text: str) -> bool:
    """Whether this installation made a token. It may be expired or revoked."""
    match = _TOKEN.fullmatch(text)
    return match is not None and constant_time_compare(match[2], _tag(match[1]))


def sha256_of(text: str) -> str:
    """Return the digest that is kept of a token."""
    return hashlib.sha256(text.encode()).hexdigest()


def _tag(random: str) -> str:
    return salted_hmac(_SALT, random, algorithm="sha256").hexdigest()[:TAG_DIGITS]
