"""A webhook: who sent it, what it says, and that it was not here before."""

import hashlib
import hmac
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.http import HttpRequest

from builds.git import printable
from builds.models import Delivery
from deployments.api.refusals import BodyUnsupported, NotAuthorized, Replayed, RequestInvalid
from edge.database_clock import database_now

JSON = "application/json"
BRANCH = "refs/heads/"
LONGEST_NAME = 100
KEPT = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Webhook:
    """A request whose signature is right. Only the body is signed, not the headers."""

    event: str
    delivery: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Push:
    """What a push event says: a branch of a repository has moved, or is gone."""

    repository: str
    branch: str
    pusher: str

    @property
    def actor(self) -> str:
        """The actor to record."""
        return f"{self.pusher or 'push'} (GitHub)"


def read_webhook(request: HttpRequest) -> Webhook:
    """Return a request's webhook. Raises NotAuthorized unless it is signed, and BodyUnsupported."""
    if request.content_type != JSON:
        raise BodyUnsupported(
            "request-type",
            f"Expected {JSON}, found {request.content_type or 'no type'}.",
            f"Choose the content type {JSON} in the settings of the webhook.",
        )
    signature = request.headers.get("X-Hub-Signature-256", "")
    if not hmac.compare_digest(signature.encode(), signature_of(request.body).encode()):
        raise NotAuthorized(
            "signature-invalid",
            "The signature in X-Hub-Signature-256 is missing, or was made with another secret.",
            "Enter the value of BUILD_WEBHOOK_SECRET as the secret of the webhook.",
        )
    headers = request.headers
    return Webhook(
        event=headers.get("X-GitHub-Event", ""),
        delivery=headers.get("X-GitHub-Delivery", ""),
        body=request.body,
    )


def signature_of(body: bytes) -> str:
    """Return the header that GitHub sends with a body."""
    digest = hmac.digest(settings.BUILD_WEBHOOK_SECRET.encode(), body, "sha256")
    return f"sha256={digest.hex()}"


def read_push(webhook: Webhook) -> Push | None:
    """Return what a push event says, or None if it is not about a branch. Raises RequestInvalid."""
    payload = _payload(webhook.body)
    match payload:
        case {"ref": str(ref), "repository": {"full_name": str(repository)}}:
            if not ref.startswith(BRANCH):
                return None
            if not ref.isprintable():
                raise RequestInvalid(
                    "request-invalid", "The branch has unprintable characters.", "Rename it."
                )
            pusher = payload.get("pusher")
            name = pusher.get("name") if isinstance(pusher, dict) else ""
            named = printable(str(name or ""), LONGEST_NAME)
            return Push(repository, ref.removeprefix(BRANCH), named)
    raise RequestInvalid(
        "request-invalid",
        "A push event has 'ref' and 'repository' with 'full_name', and this body does not.",
        "Send what GitHub sends.",
    )


@contextmanager
def remembered(webhook: Webhook) -> Iterator[None]:
    """Remember a delivery, unless the block fails. Raises Replayed, RequestInvalid."""
    name = webhook.delivery
    if not (name and name.isprintable() and len(name) <= LONGEST_NAME):
        raise RequestInvalid(
            "request-invalid", "The header X-GitHub-Delivery has no number.", "Send it."
        )
    Delivery.objects.filter(at__lt=database_now() - KEPT).delete()
    sha256 = hashlib.sha256(webhook.body).hexdigest()
    try:
        with transaction.atomic():
            delivery = Delivery.objects.create(name=name, sha256=sha256)
    except IntegrityError as error:
        raise Replayed(
            "delivery-repeated",
            f"The delivery {name}, or one with the same body, was accepted before.",
            "Nothing has to be done. To build again, push another commit.",
        ) from error
    try:
        yield
    except BaseException:
        delivery.delete()  # it can be sent again
        raise


def _payload(body: bytes) -> dict[str, Any]:
    try:
        payload = json.loads(body)
    except (ValueError, RecursionError):
        payload = None
    if not isinstance(payload, dict):
        raise RequestInvalid("request-invalid", "The body is not a JSON object.", "Send one.")
    return payload
