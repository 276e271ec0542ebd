"""Who an environment lets in: the `a` of a routing document, as the edge function checks it."""

import base64
import hashlib
import secrets

# Of a routing document: only viewers with a preview link see pages.
PREVIEWS_ONLY = "-"
# In the source of every function that checks it, and that redirects to a canonical host.
_CHECK = "routing.a"


def password_digest(user: str, password: str, *, salt: str = "") -> str:
    """Return `<salt>.<digest>` of a user name and a password; without `salt`, a new one.

    The digest is the SHA-256 of the salt and of the credentials as HTTP sends them (RFC 7617, in
    UTF-8), base64url without padding. An edge function cannot stretch it, so a password needs to be
    long.
    """
    salt = salt or secrets.token_hex(8)
    credentials = base64.b64encode(f"{user}:{password}".encode()).decode()
    digest = hashlib.sha256((salt + credentials).encode()).digest()
    return f"{salt}.{base64.urlsafe_b64encode(digest).decode().rstrip('=')}"


def is_checked_by(source: str) -> bool:
    """Whether an edge function protects pages and redirects hosts; earlier ones do neither."""
    return _CHECK in source
