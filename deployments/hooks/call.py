"""Calling one hook once."""

import hashlib
import hmac
import json
import time
from uuid import UUID

from deployments.hooks.address import post
from deployments.hooks.answers import Answer, Payload
from deployments.hooks.command import run_command
from deployments.models import Hook

USER_AGENT = "QuickDumpNow-Hooks/1"


def call(hook: Hook, payload: Payload, *, delivery: UUID, seconds: float) -> Answer:
    """Run a hook's command, or send the payload to its address."""
    if hook.kind == Hook.Kind.COMMAND:
        return run_command(hook.target, payload, delivery=str(delivery), seconds=seconds)
    body = json.dumps(payload).encode()
    headers = {
        "Content-Type": "application/json",
        "User-Agent": USER_AGENT,
        "X-QDN-Event": payload["event"],
        "X-QDN-Delivery": str(delivery),
        **signature_headers(hook.secret, body),
    }
    return post(hook.target, body, headers, seconds=seconds)


def signature_headers(secret: str, body: bytes) -> dict[str, str]:
    """Return the time and the signature of both: a recorded request cannot be sent again later."""
    timestamp = str(int(time.time()))
    signed = hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256)
    return {"X-QDN-Timestamp": timestamp, "X-QDN-Signature": f"sha256={signed.hexdigest()}"}
