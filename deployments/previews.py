"""Previews: signed, expiring tickets by which one viewer sees a release that is not live.

The edge function checks them (edge/functions/viewer_request.js): a ticket names one release, holds
for one environment until one moment, and is signed with a secret only the key-value store has.
"""

import base64
import hmac
from datetime import datetime, timedelta

from django.utils import timezone

from deployments.errors import Refused
from deployments.models import Environment, Release
from edge.protocols import KeyValueStore
from edge.routing import PREVIEW_COOKIE, PREVIEW_KEY


def ticket(
    store: KeyValueStore,
    environment: Environment,
    release: Release,
    *,
    lifetime: timedelta,
    now: datetime | None = None,
) -> str:
    """Sign a ticket: `<release>.<expiry, unix seconds>.<signature>`. Raises Refused."""
    secret = store.get(PREVIEW_KEY)
    if not secret:
        raise Refused(
            "no-preview-secret",
            f"The key-value store holds no secret to sign previews of {environment} with: nothing "
            "was deployed through it yet.",
            f"Deploy first: manage.py push --to {environment}",
        )
    expiry = int(((now or timezone.now()) + lifetime).timestamp())
    signature = _signature(secret, f"{environment.name}.{release.name}.{expiry}")
    return f"{release.name}.{expiry}.{signature}"


def cookie(ticket: str) -> str:
    """Give the Cookie header with which the edge follows a ticket, as after its link."""
    return f"{PREVIEW_COOKIE}={ticket}"


def _signature(secret: str, text: str) -> str:
    """Sign as the edge function expects it: HMAC-SHA256 in base64url without padding."""
    digest = hmac.digest(secret.encode(), text.encode(), "sha256")
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")
