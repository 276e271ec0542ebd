"""Requests made at random from what the pages send: 30,000 of them must not break anything.

The same seed makes the same requests, if the pages are the same.
"""

import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from django.contrib import admin
from django.contrib.auth.models import User
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart

from edge.behaviours import Origin, behaviour_for
from tests.attacks.asking import CSRF_TOKEN, Answer, Request, ask, session_of
from tests.attacks.odd_values import broken, in_url, odd
from tests.attacks.page_forms import forms_in
from tests.attacks.routes import plausible, routes
from tracking.models import TrackingLink

# On every page; a role that follows it is anonymous from then on.
LOGOUT = "/admin/logout/"
HOSTS = ("localhost", "127.0.0.1", "staging.localhost")
# Anonymous visitors are the most, and have the fewest pages that can break.
SHARES = {"anonymous": 3, "dispatcher": 2, "operator": 2, "superuser": 4}
METHODS = (
    ("GET",) * 12 + ("POST",) * 6 + ("HEAD", "OPTIONS", "PUT", "DELETE", "PATCH", "FOO", "get")
)
URLENCODED = "application/x-www-form-urlencoded"
CONTENT_TYPES = (
    URLENCODED, URLENCODED, "application/json", "text/plain", "multipart/form-data",
    "multipart/form-data; boundary=", f"multipart/form-data; boundary={'x' * 300}",
    f"{URLENCODED}; charset=utf-16", f"{URLENCODED}; charset=nonsense", "", "/", "a/b; c",
)  # fmt: skip
COUNTS = ("TOTAL_FORMS", "INITIAL_FORMS", "MIN_NUM_FORMS", "MAX_NUM_FORMS")
QUERY_NAMES = (
    "q", "o", "p", "e", "all", "_popup", "_to_field", "_changelist_filters", "next", "link",
    "token", "t", "release", "source", "percent", "hours", "part", "app_label", "model_name",
    "field_name", "term", "s", "search", "extended", "zip", "day", "page",
)  # fmt: skip
LOOKUPS = ("", "__exact", "__id__exact", "__isnull", "__gte", "__lt", "__in", "__contains",
           "__regex", "__range", "__year", "__nonsense", "__iexact", "__pk")  # fmt: skip
STORED = (
    "/", "/book/", "/track/", "/dashboard/", "/manifest.json", "/404.html", "/assets/x.css",
    "/.well-known/x", "/about", "/releases/x/index.html", "/jobs/x.json", "/track.html?token=x",
    "/track-staging/x", "/book-club/", "/live/production/index.html", "/registry/jobs.json",
)  # fmt: skip


@dataclass
class Targets:
    """What an installation has: addresses, the filters of lists, and forms with their values."""

    paths: list[str]
    stored: list[str]
    lists: dict[str, list[str]]
    forms: list[tuple[str, dict[str, list[str]]]]


def find_targets(application, superuser: User) -> Targets:
    """Collect the addresses of an installation, and the forms that a superuser is shown."""
    paths = [route.path(plausible(route)) for route in routes()]
    tokens = [link.token for link in TrackingLink.objects.all()]
    stored = [*STORED, *(f"/track/{token}{end}" for token in tokens for end in ("", ".json"))]
    headers = _headers(session_of(superuser))
    forms = {}
    for path in paths:
        page = ask(application, Request(path, headers=headers))
        for form in forms_in(page.body.decode(errors="replace")):
            address = form.action.partition("?")[0] or path
            if form.method == "post" and form.fields and address != LOGOUT:
                forms[address, *form.fields] = address, form.fields
    return Targets(paths, stored, _filters(), list(forms.values()))


def _filters() -> dict[str, list[str]]:
    """Return the addresses of the admin's lists, and the names that may filter each."""
    admin.autodiscover()
    found = {}
    for model, model_admin in admin.site._registry.items():
        names = {getattr(one, "parameter_name", str(one)) for one in model_admin.list_filter}
        names |= {field.name for field in model._meta.get_fields()}
        found[f"/admin/{model._meta.app_label}/{model._meta.model_name}/"] = sorted(names)
    return found


def _headers(session: str, host: str = "localhost") -> tuple[tuple[str, str], ...]:
    return (("Host", host), ("Cookie", f"sessionid={session}; csrftoken={CSRF_TOKEN}"))


class Fuzzer:
    """Makes requests at random. `sessions` has the session of each role, for the next ones."""

    def __init__(self, seed: int, targets: Targets):
        self.targets = targets
        self.sessions: dict[str, str] = {}
        self._rng = random.Random(seed)

    def requests(self, count: int) -> Iterator[Request]:
        for _ in range(count):
            yield self._rng.choice((self._of_address, self._of_list, self._of_form))()

    def _of_address(self) -> Request:
        """Ask for an address, most often with something wrong in its path or query."""
        rng = self._rng
        path = rng.choice(self.targets.stored if rng.random() < 0.25 else self.targets.paths)
        if rng.random() < 0.4:
            path = self._broken_path(path)
        if rng.random() < 0.6:
            path += ("&" if "?" in path else "?") + self._query(QUERY_NAMES)
        method = rng.choice(METHODS)
        body, type_ = (b"", "") if method in ("GET", "HEAD") else self._body()
        return self._request(path, method, body, type_)

    def _of_list(self) -> Request:
        """Filter, sort or search a list of the admin, or act on its rows."""
        path, names = self._rng.choice(list(self.targets.lists.items()))
        fields = [name + self._rng.choice(LOOKUPS) for name in names]
        path += "?" + self._query((*QUERY_NAMES[:8], *fields))
        return self._request(path, "GET", b"", "")

    def _of_form(self) -> Request:
        """Send a form of our own pages with one to three fields changed."""
        path, fields = self._rng.choice(self.targets.forms)
        body, type_ = self._form(dict(fields))
        return self._request(path, "POST", body, type_)

    def _request(self, target: str, method: str, body: bytes, type_: str) -> Request:
        rng = self._rng
        role = rng.choices(list(SHARES), list(SHARES.values()))[0]
        session = self.sessions.get(role, "")
        host = rng.choice(HOSTS) if rng.random() < 0.2 else "localhost"
        headers = [*_headers(session, host), ("Sec-Fetch-Site", "same-origin")]
        if rng.random() < 0.95:
            headers.append(("X-CSRFToken", CSRF_TOKEN))
        if type_:
            headers.append(("Content-Type", type_))
        if rng.random() < 0.3:
            headers = self._odd_headers(headers)
        return Request(target, method, tuple(headers), body, role)

    def _broken_path(self, path: str) -> str:
        rng = self._rng
        parts = path.split("/")
        place = rng.randrange(1, len(parts))
        kind = rng.random()
        if kind < 0.6:
            parts[place] = in_url(broken(parts[place], rng), rng)
        elif kind < 0.8:
            parts.insert(place, rng.choice(("", ".", "..", "%2e%2e", "%00", "a" * 5_000)))
        elif kind < 0.9:
            return rng.choice(("http://localhost", "http://[::1", "//evil.example", "*")) + path
        else:
            parts = parts[:place]
        return "/".join(parts)

    def _query(self, names: Sequence[str]) -> str:
        rng, pairs = self._rng, []
        for _ in range(rng.choice((1, 1, 1, 2, 3))):
            name = rng.choice(names)
            if rng.random() < 0.05:
                name = broken(name, rng)
            pairs.append(f"{in_url(name, rng)}={in_url(odd(rng), rng)}")
        return rng.choice("&&&;").join(pairs)

    def _odd_headers(self, headers: list[tuple[str, str]]) -> list[tuple[str, str]]:
        rng = self._rng
        name, good = rng.choice(
            (
                ("Host", "localhost"),
                ("Cookie", "sessionid=x; messages=x; csrftoken=x; qdn_release=a.9999999999.b"),
                ("Range", "bytes=0-5,7-9"),
                ("If-None-Match", '"x"'),
                ("If-Modified-Since", "Sat, 21 Nov 2026 00:00:00 GMT"),
                ("Accept-Encoding", "gzip;q=0.5, br"),
                ("Accept-Language", "en;q=0.9"),
                ("Content-Type", rng.choice(CONTENT_TYPES)),
                ("X-Forwarded-For", "192.0.2.1, 10.0.0.1"),
                ("X-Forwarded-Proto", "https"),
                ("X-Forwarded-Host", "evil.example"),
                ("Referer", "http://localhost/"),
                ("Origin", "http://localhost"),
                ("Sec-Fetch-Site", "cross-site"),
                ("X-Requested-With", "XMLHttpRequest"),
            )
        )
        value = broken(good, rng).encode("latin-1", "replace").decode("latin-1")
        value = "".join(char for char in value if char >= " " and char != "\x7f").strip()
        return [*(one for one in headers if one[0] != name), (name, value)]

    def _body(self) -> tuple[bytes, str]:
        rng = self._rng
        if rng.random() < 0.5:
            return self._form(dict(rng.choice(self.targets.forms)[1]))
        bodies = (
            b"",
            rng.randbytes(200),
            json.dumps({"a": odd(rng)}).encode(),
            b"=&=&",
            b"[" * 900,
        )
        return rng.choice(bodies), rng.choice(CONTENT_TYPES)

    def _form(self, fields: dict[str, list[str]]) -> tuple[bytes, str]:
        """Return a form's body with one to three fields changed, and its content type."""
        rng = self._rng
        for _ in range(rng.choice((1, 1, 2, 3))):
            name = rng.choice(list(fields))
            if rng.random() < 0.2:
                name = rng.choice(("prices-", "events-", "form-", "jobs-", "")) + rng.choice(COUNTS)
            value = (fields.get(name) or [""])[0]
            fields[name] = [broken(value, rng) if rng.random() < 0.5 else odd(rng)]
        fields.pop("csrfmiddlewaretoken", None)  # a header has it
        plain = {name: [_sendable(one) for one in values] for name, values in fields.items()}
        if rng.random() < 0.8:
            return urlencode(plain, doseq=True).encode(), URLENCODED
        body = encode_multipart(BOUNDARY, plain)
        return body[: rng.randrange(len(body))] if rng.random() < 0.3 else body, MULTIPART_CONTENT


def _sendable(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


def fault_in(request: Request, answer: Answer) -> str:
    """Return what is wrong with an answer, or ""."""
    is_fault = answer.status >= 500 and not (answer.status == 503 and _may_be_503(request))
    return f"{answer.status} for {request}" if is_fault else ""


def _may_be_503(request: Request) -> bool:
    """Whether 503 is right: from the edge for an unknown host, and from /readyz."""
    path = request.target.partition("?")[0]
    host = dict(request.headers).get("Host", "").partition(":")[0].lower()
    is_stored = behaviour_for(path).origin is Origin.STORAGE
    return path == "/readyz" or (is_stored and host not in HOSTS)


def is_login(answer: Answer) -> bool:
    """Whether an answer leads to the login page."""
    return any(
        value.startswith("/admin/login/") for name, value in answer.headers if name == "Location"
    )
