"""Checks the result of a function as CloudFront does.

Sources: the developer guide's "Restrictions on all edge functions" (headers, URI) and "Restrictions
on CloudFront Functions"; AWS's knowledge center, "CloudFront 503 error" (viewers get 503 if a
function throws, and 502 if it sets a forbidden header).
"""

import base64
import binascii
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from http import HTTPStatus
from typing import Any, NamedTuple

from edge.errors import FunctionFailed, FunctionInvalid

FIX_HINT = "Fix edge/functions/viewer_request.js; push_functions tests it before publication."
_FORBIDDEN = frozenset({
    "connection", "expect", "keep-alive", "proxy-authenticate", "proxy-authorization",
    "proxy-connection", "trailer", "upgrade", "x-accel-buffering", "x-accel-charset",
    "x-accel-limit-rate", "x-accel-redirect", "x-cache", "x-forwarded-proto", "x-real-ip",
})  # fmt: skip
_FORBIDDEN_PREFIXES = ("proxy-", "x-accel-", "x-amz-cf-", "x-amzn-", "x-edge-")
_READ_ONLY = frozenset({"content-length", "host", "transfer-encoding", "via"})
# The characters of an HTTP token (RFC 9110, 5.6.2), without upper case.
_HEADER_NAME = re.compile(r"[a-z0-9!#$%&'*+.^_`|~-]+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_STATUSES = range(100, 600)
_PHRASES = frozenset(status.value for status in HTTPStatus)


class Rewritten(NamedTuple):
    """A request that the function passes on.

    `detail` holds its other changes, as the prelude wrote them: JSON, or lines of headers. The
    local edge does not use them; only `applied_to` reads them.
    """

    uri: str
    detail: str

    def applied_to(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Return the whole request with the function's changes."""
        changes = _parsed(self.detail)
        headers = {**event["request"]["headers"], **changes["headers"]}
        return {
            **event["request"],
            "uri": self.uri,
            "querystring": changes.get("querystring", {}),
            "headers": {name: entry for name, entry in headers.items() if entry is not None},
            "cookies": changes.get("cookies", {}),
        }


@dataclass(frozen=True, slots=True)
class Generated:
    """A response that the function generated. `cookies` are whole Set-Cookie values."""

    status: int
    reason: str
    headers: list[tuple[str, str]]
    cookies: list[str]
    body: bytes
    raw: Mapping[str, Any] = field(default_factory=dict)


def check_outcome(outcome: Mapping[str, Any]) -> Generated:
    """Check a result other than a request. Raises FunctionInvalid, FunctionFailed."""
    if "error" in outcome:
        raise FunctionFailed(
            f"The edge function failed: {outcome['error'].strip()}",
            FIX_HINT,
        )
    if "response" in outcome:
        return _check_response(outcome["response"])
    raise FunctionInvalid(
        "Expected the function to return a request whose uri starts with '/', or a response; "
        f"found {outcome['invalid']}.",
        "Return event.request, or an object with statusCode.",
    )


def check_rewritten(text: str) -> Rewritten:
    """Check a request: its URI, then its changes as JSON or as lines of headers."""
    uri, _, detail = text.partition("\n")
    if detail.startswith("{"):
        for name, entry in _parsed(detail)["headers"].items():
            _check_request_header(name)
            if entry is not None:
                _values(name, entry)
    elif detail:
        for name in detail.split("\n")[::2]:
            _check_request_header(name)
        _line("a request header", detail.replace("\n", ""))
    return Rewritten(uri, detail)


def _parsed(detail: str) -> dict[str, Any]:
    if detail.startswith("{"):
        changes: dict[str, Any] = json.loads(detail)
        return changes
    lines = detail.split("\n") if detail else []
    pairs = zip(lines[::2], lines[1::2], strict=True)
    return {"headers": {name: {"value": value} for name, value in pairs}}


@lru_cache(maxsize=256)
def _check_request_header(name: str) -> None:
    _check_header_name(name)
    if name in _READ_ONLY:
        raise FunctionInvalid(f"The header {name} is read-only in a viewer request.")


def _check_response(response: Mapping[str, Any]) -> Generated:
    status = response["statusCode"]
    if type(status) is not int or status not in _STATUSES:
        raise FunctionInvalid(
            f"Expected statusCode to be an integer from 100 to 599, found {status!r}."
        )
    headers = []
    for name, entry in _mapping(response, "headers").items():
        _check_header_name(name)
        headers += [(name, value) for value in _values(name, entry)]
    return Generated(
        status=status,
        reason=_line("statusDescription", response.get("statusDescription") or _phrase(status)),
        headers=headers,
        cookies=_set_cookies(_mapping(response, "cookies")),
        body=_body(response.get("body", "")),
        raw=response,
    )


def _phrase(status: int) -> str:
    return HTTPStatus(status).phrase if status in _PHRASES else "Unknown"


def _mapping(response: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = response.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise FunctionInvalid(f"Expected {name} to be an object, found {type(value).__name__}.")
    return value


def _check_header_name(name: str) -> None:
    if not _HEADER_NAME.fullmatch(name):
        raise FunctionInvalid(f"Expected a header name in lower case, found {name!r:.80}.")
    if name in _FORBIDDEN or name.startswith(_FORBIDDEN_PREFIXES):
        raise FunctionInvalid(f"A function cannot set the header {name}.")


def _entries(name: str, entry: Any) -> list[dict[str, Any]]:
    """Return an entry's items; multiValue takes precedence over value."""
    items = entry.get("multiValue") or [entry] if isinstance(entry, dict) else [entry]
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise FunctionInvalid(f"Expected {name} to be an object with a value.")
    return items


def _values(name: str, entry: Any) -> list[str]:
    return [_line(name, item.get("value")) for item in _entries(f"header {name}", entry)]


def _line(name: str, value: Any) -> str:
    """Check the value of a header: a control character could begin another header."""
    if not isinstance(value, str) or _CONTROL.search(value):
        raise FunctionInvalid(f"Expected {name} to be text without control characters.")
    if not value.isascii():
        raise FunctionInvalid(f"Expected {name} to be ASCII; percent-encode other characters.")
    return value


def _set_cookies(cookies: Mapping[str, Any]) -> list[str]:
    lines = []
    for name, entry in cookies.items():
        for item in _entries(f"cookie {name}", entry):
            attributes = item.get("attributes")
            tail = f"; {attributes}" if attributes else ""
            lines.append(_line(f"cookie {name}", f"{name}={item.get('value', '')}{tail}"))
    return lines


def _body(body: Any) -> bytes:
    """Return a body: text, or {data, encoding} where encoding is text or base64."""
    if isinstance(body, str):
        return body.encode(errors="replace")
    if isinstance(body, dict) and isinstance(body.get("data"), str):
        if body.get("encoding", "text") == "text":
            return str(body["data"]).encode(errors="replace")
        try:
            return base64.b64decode(body["data"], validate=True)
        except binascii.Error:
            pass
    raise FunctionInvalid("Expected body to be text or {data, encoding: 'text' | 'base64'}.")
