"""The event CloudFront gives a viewer-request function.

Source: the developer guide, "CloudFront Functions event structure". Names of headers are lower
case, cookies are not among the headers, and values of the query string stay as the viewer
encoded them.
"""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import uuid4


def viewer_event(
    *,
    method: str = "GET",
    uri: str,
    querystring: str = "",
    headers: Mapping[str, str],
    cookies: str = "",
    ip: str = "127.0.0.1",
    request_id: str = "",
) -> dict[str, Any]:
    """Build an event. `querystring` is raw, without `?`; `cookies` is the Cookie header."""
    return {
        "version": "1.0",
        "context": {
            "distributionDomainName": "local",
            "distributionId": "LOCAL",
            "eventType": "viewer-request",
            "requestId": request_id or uuid4().hex,
        },
        "viewer": {"ip": ip},
        "request": {
            "method": method,
            "uri": uri,
            "querystring": query_entries(querystring) if querystring else {},
            "headers": {name: {"value": value} for name, value in headers.items()},
            "cookies": cookie_entries(cookies) if cookies else {},
        },
    }


def query_entries(querystring: str) -> dict[str, Any]:
    """Split a raw query string: {name: {value, multiValue?}}."""
    pairs = (part.partition("=") for part in querystring.split("&") if part)
    return _entries((name, value) for name, _, value in pairs)


def cookie_entries(header: str) -> dict[str, Any]:
    """Split a Cookie header: {name: {value, multiValue?}}."""
    pairs = (part.strip().partition("=") for part in header.split(";"))
    return _entries((name, value) for name, _, value in pairs if name)


def _entries(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Gather values by name; the first is `value`, and several stand in `multiValue` too."""
    entries: dict[str, Any] = {}
    for name, value in pairs:
        entry = entries.setdefault(name, {"value": value})
        if "multiValue" in entry:
            entry["multiValue"].append({"value": value})
        elif entry["value"] != value:
            entry["multiValue"] = [{"value": entry["value"]}, {"value": value}]
    return entries
