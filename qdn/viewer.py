"""A small HTTP client that, like curl, follows no redirects."""

import http.client
import http.cookies
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

TIMEOUT_SECONDS = 20
CSRF_FIELD = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')


@dataclass(frozen=True, slots=True)
class Answer:
    """A response. Header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def body(self) -> str:
        return self.content.decode(errors="replace")

    @property
    def release(self) -> str:
        return self.headers.get("x-amz-meta-release", "")


class Visitor:
    """A browser: keeps cookies and sends Origin with forms, but follows no redirects."""

    def __init__(self, site: str) -> None:
        self.site = urlsplit(site)
        self.cookies: dict[str, str] = {}

    def get(self, path: str, *, host: str = "") -> Answer:
        """GET a path, on this site or on another host at the same address."""
        return self._request("GET", path, host=host)

    def post(self, path: str, fields: Mapping[str, str]) -> Answer:
        """POST a form as the site's own page would."""
        return self._request("POST", path, body=urlencode(fields))

    def post_json(self, path: str, values: Mapping[str, Any], *, csrf: str = "") -> Answer:
        """POST a JSON object as a script of the site's own page would."""
        headers = {"Content-Type": "application/json", **({"X-CSRFToken": csrf} if csrf else {})}
        return self._request("POST", path, body=json.dumps(values), headers=headers)

    def post_with_csrf(self, path: str, fields: Mapping[str, str]) -> Answer:
        """GET a page of Django for its token, then POST its form."""
        found = CSRF_FIELD.search(self.get(path).body)
        token = {"csrfmiddlewaretoken": found.group(1)} if found else {}
        return self.post(path, {**token, **fields})

    def _request(
        self,
        method: str,
        path: str,
        *,
        host: str = "",
        body: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        headers = {"Host": f"{host or self.site.hostname}:{self.site.port}", **(headers or {})}
        if self.cookies and not host:
            headers["Cookie"] = "; ".join(f"{k}={v}" for k, v in self.cookies.items())
        if method == "POST":
            headers.setdefault("Content-Type", "application/x-www-form-urlencoded")
            headers["Origin"] = headers["Referer"] = self.site.geturl()
        connection = http.client.HTTPConnection(
            "127.0.0.1", self.site.port, timeout=TIMEOUT_SECONDS
        )
        try:
            connection.request(method, path, body=body or None, headers=headers)
            response = connection.getresponse()
            self._keep_cookies(response)
            lowered = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, lowered, response.read())
        finally:
            connection.close()

    def _keep_cookies(self, response: http.client.HTTPResponse) -> None:
        for header in response.headers.get_all("Set-Cookie") or []:
            for name, morsel in http.cookies.SimpleCookie(header).items():
                self.cookies[name] = morsel.value
