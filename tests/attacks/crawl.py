"""What an anonymous visitor asks for: every route, every stored object by name, every link."""

import json
from collections.abc import Iterator
from itertools import product
from urllib.parse import quote

from crews.models import CrewLink
from edge.behaviours import BEHAVIOURS
from edge.protocols import ObjectStore
from tests.attacks.asking import CSRF_TOKEN, Request
from tests.attacks.routes import plausible, routes
from tracking.models import TrackingLink

HOST = ("Host", "localhost")
FORM = ("Content-Type", "application/x-www-form-urlencoded")
METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "DELETE", "PATCH", "TRACE")
WRONG = (0, -1, "x", "nowhere", "9" * 30, "%00", "%ff", "..", "%2e%2e", "a/b", "é", "")
# The views see a request that passed the CSRF check, and one that did not.
SIGNED = ("Cookie", f"csrftoken={CSRF_TOKEN}")
HEADERS = (
    (("Accept", "application/json"), ("X-Requested-With", "XMLHttpRequest")),
    (("X-HTTP-Method-Override", "GET"), ("X-Forwarded-Host", "evil.example")),
    (("X-Forwarded-For", "127.0.0.1"), ("X-Original-URL", "/admin/"), ("X-Rewrite-URL", "/admin/")),
    (("Cookie", "sessionid=x; qdn_release=a.9.b; csrftoken=x"),),
    (("Range", "bytes=0-5"), ("If-None-Match", "*")),
    (("Authorization", "Basic YWRtaW46YWRtaW4="),),
)
# Ways to write a key, so that one layer reads another path than the next.
SPELLINGS = (
    "/{key}", "//{key}", "/./{key}", "/x/../{key}", "/x/%2e%2e/{key}", "/{key}/", "/{key}%00",
    "/{key}?x=1", "/{key};x", "/{slashes}", "/%252f{key}", "/{backslashes}", "/{letters}",
    "/{upper}", "/assets/../{key}", "/assets/%2e%2e/{key}", "/assets/..%2f{key}", "/assets//{key}",
    "/.well-known/../{key}", "/.well-known/{key}", "/track/../{key}", "/track/{key}",
    "/track-staging/../{key}", "/book/%2e%2e/{key}", "/static/../{key}", "/static/{key}",
    "/media/{key}", "/media/../store/{key}", "/api/../{key}", "/admin/%2e%2e/{key}",
    "http://localhost/{key}", "/live/production/{key}",
)  # fmt: skip
OLD_LINKS = (
    "/track.html?token={}", "/track?token={}", "/track?t={}", "/track/?t={}", "/track/?token={}",
    "/track-staging?token={}", "/track-staging/{}", "/t/?link={}", "/dashboard/{}", "/book/{}",
    "/book-staging/{}", "/dashboard-staging/", "/dashboard.html", "/jobs/{}.json", "/t/{}/x",
    "/track/{}x.json", "/track/{}.json.json", "/track/x{}", "/t/{}/unlock/", "/t/{}/unlock",
    "/t/{}/unlock/?next=../", "/t/{}/lock/", "/t/send/?to={}", "/t/{}/send/", "/crew/{}/",
    "/crew/{}",
)  # fmt: skip


def of_routes(among: str = "") -> Iterator[Request]:
    """Every URL pattern that begins with `among`, in every method, and with wrong arguments."""
    revoked = TrackingLink.objects.exclude(revoked_at=None).first()  # of_link has the others
    for route in (one for one in routes() if one.pattern.startswith(among)):
        good = plausible(route) | {"token": revoked.token}
        yield from _in_every_way(route.path(good))
        for name, value in product(route.arguments, WRONG):
            path = route.path({**good, name: value})
            yield Request(path)
            yield Request(path, "POST")


def of_behaviours() -> Iterator[Request]:
    """Every behaviour of the edge, with and without something for the asterisk."""
    for behaviour in BEHAVIOURS:
        for rest in ("", "x", "x/", "index.html", "x.json", "manifest.json", "../admin/", "%00"):
            path = behaviour.pattern.replace("*", rest)
            yield from _in_every_way(path if path.startswith("/") else f"/{path}")


def of_objects(objects: ObjectStore) -> Iterator[Request]:
    """Every key of the object store by name, in every spelling."""
    for info in objects.list(""):
        key = info.key
        shapes = {
            "key": quote(key),
            "slashes": key.replace("/", "%2f"),
            "backslashes": key.replace("/", "%5c"),
            "letters": "".join(f"%{ord(char):02x}" if char.isalpha() else char for char in key),
            "upper": key.upper(),
        }
        for spelling in SPELLINGS:
            yield Request(spelling.format(**shapes))
        yield Request(f"/{quote(key)}", headers=(("Host", "staging.localhost"),))
        yield Request(f"/{quote(key)}", method="HEAD")
        yield Request(f"/{quote(key)}", method="POST")


def of_wrong_links() -> Iterator[Request]:
    """Links that open no job, made from what a visitor may know: numbers, rows, hashes."""
    guesses = ["1001", "QDN-1001", "1", "x", "%00", "..", "' or 1=1--", "é"]
    guesses += [quote(f"{link.pk}") for link in TrackingLink.objects.all()]
    guesses += list(TrackingLink.objects.values_list("token_sha256", flat=True))
    guesses += [one.token for one in TrackingLink.objects.filter(revoked_at__isnull=False)]
    guesses += list(CrewLink.objects.values_list("token_sha256", flat=True))
    guesses += [one.token for one in CrewLink.objects.filter(revoked_at__isnull=False)]
    for form, guess in product((*OLD_LINKS, "/t/{}/", "/t/{}", "/track/{}.json"), guesses):
        yield Request(form.format(quote(guess, safe="%")))


def of_link(link: TrackingLink) -> Iterator[Request]:
    """Every page of a link, in every method."""
    token = quote(link.token, safe="")
    for form in ("/track/{}", "/track/{}/", "/track/{}.json", "/t/{}/", "/t/{}", *OLD_LINKS):
        yield from _in_every_way(form.format(token))
    # A page's report of its timings, as if it named the page.
    report = json.dumps({"surface": "track", "release": link.token, "path": f"/track/{token}"})
    origin = ("Origin", f"http://{HOST[1]}")
    yield Request("/api/v1/timings/", "POST", (HOST, origin), report.encode())


def of_crew_link(link: CrewLink) -> Iterator[Request]:
    """Every page of a crew's link, in every method; and the link where others belong."""
    for form in (
        "/crew/{}/",
        "/crew/{}",
        "/crew/{}/taps",
        "/crew/{}/photos/",
        "/crew/{}/photo/x.jpg",
    ):
        yield from _in_every_way(form.format(link.token))
    for form in ("/t/{}/", "/track/{}.json", "/crew/{}x/", "/crew/{}/x", "/crew//{}/"):
        yield Request(form.format(link.token))


def of_errors() -> Iterator[Request]:
    """Requests that end in an error page before or inside a view."""
    book = "/book/request/"
    for host in ("", "evil.example", "localhost:x", "[::1", "a" * 300, "localhost\x00", "-"):
        for path in ("/", book, "/admin/", "/api/board", "/healthz", "/t/x/"):
            yield Request(path, headers=(("Host", host),))
    multipart = ("Content-Type", "multipart/form-data; boundary=x")
    own_page = ("Sec-Fetch-Site", "same-origin")
    for body, type_ in (
        (b"a=1&" * 2000, FORM),  # more fields than Django reads
        (b"a=" + b"x" * 3_000_000, FORM),  # a larger body than Django reads
        (b"--x\r\nContent-Disposition: form-data; name=a", multipart),
        (b"\xff\xfe=\x00", FORM),
        (b"{}", ("Content-Type", "application/json")),
        (b"a=1", ("Content-Type", "text/plain; charset=nonsense")),
    ):
        for path in (book, "/admin/login/", "/admin/dispatch/job/add/"):
            yield Request(path, "POST", (HOST, type_, own_page, SIGNED), body)
    yield Request("/" + "a" * 9000)
    yield Request("/admin/" + "a/" * 4000)


def _in_every_way(path: str) -> Iterator[Request]:
    """Ask for a path by every method, as a form of our own pages does, and with odd headers."""
    for method in METHODS:
        yield Request(path, method)
    body = f"csrfmiddlewaretoken={CSRF_TOKEN}&_save=1&action=delete_selected".encode()
    yield Request(path, "POST", (HOST, FORM, SIGNED, ("Sec-Fetch-Site", "same-origin")), body)
    for more in HEADERS:
        yield Request(path, headers=(HOST, *more))
