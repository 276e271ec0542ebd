"""The event that CloudFront passes to a viewer-request function.

Source: the developer guide, "CloudFront Functions event structure". Names of headers are in lower
case, cookies are not among the headers, and values of the query string are encoded as the viewer
sent them.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple


class ViewerRequest(NamedTuple):
    """A viewer's request. `querystring` is raw, without `?`; `cookies` is the Cookie header."""

    uri: str
    headers: Sequence[tuple[str, str]]
    method: str = "GET"
    querystring: str = ""
    cookies: str = ""
    ip: str = "127.0.0.1"
    request_id: str = ""

    def event(self) -> dict[str, Any]:
        """Return the event, as CloudFront's TestFunction expects it."""
        return {
            "version": "1.0",
            "context": {
                "distributionDomainName": "local",
                "distributionId": "LOCAL",
                "eventType": "viewer-request",
                "requestId": self.request_id,
            },
            "viewer": {"ip": self.ip},
            "request": {
                "method": self.method,
                "uri": self.uri,
                "querystring": query_entries(self.querystring),
                "headers": {name: {"value": value} for name, value in self.headers},
                "cookies": cookie_entries(self.cookies),
            },
        }

    def flat(self) -> tuple[str, ...]:
        """Return the arguments of the prelude's `__request`."""
        head = "\n".join([f"{name}\0{value}" for name, value in self.headers])
        if head.count("\n") != len(self.headers) - 1 or head.count("\0") != len(self.headers):
            head = "\n".join(f"{_one_line(name)}\0{_one_line(v)}" for name, v in self.headers)
        head = f"\n{head}\n"
        query = json.dumps(query_entries(self.querystring)) if self.querystring else ""
        cookies = json.dumps(cookie_entries(self.cookies)) if self.cookies else ""
        return (self.request_id, self.ip, self.method, self.uri, head, query, cookies)


def viewer_event(
    *,
    uri: str,
    headers: Mapping[str, str],
    method: str = "GET",
    querystring: str = "",
    cookies: str = "",
    ip: str = "127.0.0.1",
    request_id: str = "1",
) -> dict[str, Any]:
    """Return the event of a viewer's request."""
    request = ViewerRequest(
        uri, tuple(headers.items()), method, querystring, cookies, ip, request_id
    )
    return request.event()


def query_entries(querystring: str) -> dict[str, Any]:
    """Split a raw query string: {name: {value, multiValue?}}."""
    pairs = (part.partition("=") for part in querystring.split("&") if part)
    return _entries((name, value) for name, _, value in pairs)


def cookie_entries(header: str) -> dict[str, Any]:
    """Split a Cookie header: {name: {value, multiValue?}}."""
    pairs = (part.strip().partition("=") for part in header.split(";"))
    return _entries((name, value) for name, _, value in pairs if name)


def _one_line(text: str) -> str:
    """Replace the line breaks and NULs that some servers leave in a header."""
    return text.replace("\n", " ").replace("\0", " ")


def _entries(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Group values by name; the first is `value`, and several are in `multiValue` too."""
    values: dict[str, list[dict[str, str]]] = {}
    for name, value in pairs:
        values.setdefault(name, []).append({"value": value})
    return {
        name: {**items[0], "multiValue": items} if len(items) > 1 else items[0]
        for name, items in values.items()
    }
