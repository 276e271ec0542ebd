"""Text messages through Twilio's API, or one that is compatible (TWILIO_URL).

The connection is opened before `handing_over`, so that only the request itself can end in doubt:
the API has no key by which it would recognize a second one.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from contextlib import closing
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from urllib.parse import urlencode, urlsplit

from django.conf import settings

from notifications.channels.faults import MessageDelayed, MessageRefused, MessageUncertain

SECONDS = 10
SERVICE_PREFIX = "MG"  # of the SID of a messaging service
TOO_MANY = 429
CLIENT_ERROR, SERVER_ERROR = 400, 500


class Twilio:
    """Sends through the account in the settings."""

    def send(self, *, to: str, body: str, handing_over: Callable[[], None]) -> None:
        """Send a text message. Raises MessageDelayed, MessageRefused or MessageUncertain."""
        with closing(_connection()) as connection:
            try:
                connection.connect()
            except OSError as error:
                raise MessageDelayed(f"{type(error).__name__}: {error}") from None
            handing_over()
            try:
                connection.request("POST", _path(), _form(to, body), _headers())
                answer = connection.getresponse()
                text = answer.read()
            except (OSError, HTTPException) as error:
                raise MessageUncertain(f"{type(error).__name__}: {error}") from None
        _check(answer, text)


def signature_of(url: str, form: Mapping[str, str]) -> str:
    """Return the signature that Twilio sends with a webhook: HMAC-SHA1 of URL and sorted form.

    https://www.twilio.com/docs/usage/security#validating-requests
    """
    text = url + "".join(f"{name}{form[name]}" for name in sorted(form))
    signed = hmac.new(settings.TWILIO_AUTH_TOKEN.encode(), text.encode(), hashlib.sha1)
    return base64.b64encode(signed.digest()).decode()


def _connection() -> HTTPConnection:
    parts = urlsplit(settings.TWILIO_URL)
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    return kind(parts.hostname or "", parts.port, timeout=SECONDS)


def _path() -> str:
    return f"/2010-04-01/Accounts/{settings.TWILIO_ACCOUNT_SID}/Messages.json"


def _form(to: str, body: str) -> str:
    is_service = settings.SMS_FROM.startswith(SERVICE_PREFIX)
    sender = "MessagingServiceSid" if is_service else "From"
    return urlencode({"To": to, sender: settings.SMS_FROM, "Body": body})


def _headers() -> dict[str, str]:
    login = f"{settings.TWILIO_ACCOUNT_SID}:{settings.TWILIO_AUTH_TOKEN}"
    return {
        "Authorization": f"Basic {base64.b64encode(login.encode()).decode()}",
        "Content-Type": "application/x-www-form-urlencoded",
    }


def _check(answer: HTTPResponse, text: bytes) -> None:
    if answer.status < CLIENT_ERROR:
        return
    fault = f"Twilio answered {answer.status} {_message_in(text)}".strip()
    if answer.status >= SERVER_ERROR:
        raise MessageUncertain(fault)
    raise MessageDelayed(fault) if answer.status == TOO_MANY else MessageRefused(fault)


def _message_in(text: bytes) -> str:
    try:
        answer = json.loads(text)
        return f"{answer['code']}: {answer['message']}"
    except (ValueError, KeyError, TypeError):
        return ""
