"""AWS Signature Version 4 for requests to S3 whose payload's SHA-256 is known.

botocore signs too, at ten times the price: a push sends thousands of requests, all to one place.
Source: "Create a signed AWS API request" in the IAM user guide.
"""

import hashlib
import hmac
import time
from collections.abc import Mapping
from functools import lru_cache
from urllib.parse import quote

from botocore.credentials import ReadOnlyCredentials

ALGORITHM = "AWS4-HMAC-SHA256"
SERVICE = "s3"
NOTHING = hashlib.sha256(b"").hexdigest()


def encoded(path: str) -> str:
    """Percent-encode a path as S3 signs it: once, slashes left as they are."""
    return quote(path, safe="/")


def signed(
    method: str,
    path: str,
    headers: Mapping[str, str],
    *,
    payload: str,
    credentials: ReadOnlyCredentials,
    region: str,
) -> dict[str, str]:
    """Give the headers a signed request has; `path` is encoded, `payload` a SHA-256 in hex.

    All headers given are signed, `host` must be among them; their names are in lower case.
    """
    now = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    sent = {**headers, "x-amz-content-sha256": payload, "x-amz-date": now}
    if credentials.token:
        sent["x-amz-security-token"] = credentials.token
    scope = f"{now[:8]}/{region}/{SERVICE}/aws4_request"
    names = sorted(sent)
    lines = (f"{name}:{' '.join(sent[name].split())}" for name in names)
    request = "\n".join((method, path, "", *lines, "", ";".join(names), payload))
    digest = hashlib.sha256(request.encode()).hexdigest()
    key = _signing_key(credentials.secret_key, now[:8], region)
    signature = _hmac(key, "\n".join((ALGORITHM, now, scope, digest))).hex()
    sent["authorization"] = (
        f"{ALGORITHM} Credential={credentials.access_key}/{scope}, "
        f"SignedHeaders={';'.join(names)}, Signature={signature}"
    )
    return sent


@lru_cache(maxsize=2)  # one a day; the secret may be renewed while a push is underway
def _signing_key(secret: str, date: str, region: str) -> bytes:
    key = f"AWS4{secret}".encode()
    for part in (date, region, SERVICE, "aws4_request"):
        key = _hmac(key, part)
    return key


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.digest(key, text.encode(), "sha256")
