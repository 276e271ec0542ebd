"""The cases of protected environments, canonical hosts and hosts of branches, in both engines."""

import base64

from edge.access import PREVIEWS_ONLY, password_digest
from edge.sites import site_key
from tests.edge.functions.cases import (
    HASH,
    LIVE,
    NOW,
    OLD,
    SECRET,
    STAGED,
    TOKEN,
    TRACK,
    Case,
    page,
    previewing,
    routing,
    ticket,
)

HOST = "www.example.com"
GATE = password_digest("ines", "right: \u00e9", salt="0123456789abcdef")
LOCKED = {
    "host:localhost": routing(a=GATE),
    "env:staging": routing("staging", STAGED, a=GATE),
    "host:staging.localhost": routing("staging", STAGED, a=PREVIEWS_ONLY),
    "host:down.localhost": routing(a=GATE, m=1),
    "preview": SECRET,
}
MOVED = {
    f"host:{HOST}": routing(u=HOST),
    "host:example.com": routing(u=HOST),
    "host:d111111abcdef8.cloudfront.net": routing(u=HOST, a=GATE),
    "env:production": routing(u=HOST),
    "preview": SECRET,
}
BRANCHES = {
    "host:new-prices.preview.localhost": routing("staging", STAGED),
    "host:docs.preview.localhost": routing("staging", STAGED, d={"x": "|inv|", "s": "a"}),
    "host:locked.preview.localhost": routing("staging", STAGED, a=GATE),
    "host:preview.localhost": routing(),
    "preview": SECRET,
}


def basic(user="ines", password="right: \u00e9") -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def locked(path: str, uri="", **more) -> Case:
    """Return a case of the protected environments, refused if it names no file."""
    return Case(path, uri, status=0 if uri else 401, store=LOCKED, **more)


PROTECTED = [
    locked("/", page("/index.html"), authorization=basic()),
    locked(f"/track/{TOKEN}", TRACK, token=TOKEN, authorization=basic()),
    locked(f"/track/{TOKEN}.json", f"/jobs/{HASH}.json", authorization=basic()),
    locked("/"),
    locked("/index.html"),
    locked("/.well-known/security.txt"),
    locked(f"/track/{TOKEN}"),
    locked(f"/track/{TOKEN}.json"),
    locked(f"/track-staging/{TOKEN}"),
    locked(f"/track/?t={TOKEN}"),
    *(
        locked("/", authorization=wrong)
        for wrong in (
            basic(password="wrong"),
            basic(user="olga"),
            basic()[:-2],
            basic() + "A",
            "Basic ",
            "Basic",
            "Bearer " + basic()[6:] + "x",
            "Basic " + GATE.partition(".")[2],
            "Basic " + GATE,
        )
    ),
    # Files with hashed names are shared by all environments, so no environment can protect them.
    locked("/assets/app.0123456789ab.js", "/assets/app.0123456789ab.js"),
    # A preview link lets its holder in, where there is a password and where there is none.
    locked("/", page("/index.html", OLD), cookie=f"qdn_release={ticket()}"),
    locked("/", page("/index.html", OLD), host="staging.localhost",
           cookie=f"qdn_release={ticket(environment='staging')}"),
    Case(f"/a?release={ticket()}", status=302, location="/a", sets=previewing(ticket()),
         store=LOCKED),
    locked("/", host="staging.localhost"),
    locked("/", host="staging.localhost", authorization=basic()),
    locked("/", host="staging.localhost", authorization="Basic -"),
    locked("/", host="staging.localhost", cookie=f"qdn_release={ticket()}"),
    locked("/", cookie=f"qdn_release={ticket(expiry=NOW - 1)}"),
    # Maintenance is not shown to those who may not know of it.
    locked("/", host="down.localhost"),
    Case("/", status=503, host="down.localhost", authorization=basic(), store=LOCKED),
    Case("/a//b", status=400, store=LOCKED),
]  # fmt: skip


def moved(path: str, location: str, host="example.com") -> Case:
    return Case(path, status=301, location=location, host=host, store=MOVED)


CANONICAL = [
    Case("/about/", page("/about/index.html"), host=HOST, store=MOVED),
    Case("/about/", page("/about/index.html"), host=HOST.upper() + ":8000", store=MOVED),
    moved("/", f"//{HOST}/"),
    moved("/about/?a=1&b=%20", f"//{HOST}/about/?a=1&b=%20"),
    moved("/about/", f"//{HOST}:8000/about/", host="example.com:8000"),
    moved(f"/track/{TOKEN}", f"//{HOST}/track/{TOKEN}"),
    moved("/%41", f"//{HOST}/%41"),
    # No password is asked for at an address that only redirects.
    moved("/", f"//{HOST}/", host="d111111abcdef8.cloudfront.net"),
    Case("//evil.example/", status=400, host="example.com", store=MOVED),
    # The old staging paths name their environment, at any host.
    Case(f"/track-production/{TOKEN}", TRACK, token=TOKEN, host="example.com", store=MOVED),
    Case("/", status=503, host="other.example", store=MOVED),
]


def branch(path: str, uri="", host="new-prices", **more) -> Case:
    return Case(path, uri, host=f"{host}.preview.localhost", store=BRANCHES, **more)


HOSTS_OF_BRANCHES = [
    branch("/", page("/index.html", STAGED)),
    branch("/book/", page("/book/index.html", STAGED)),
    branch(f"/track/{TOKEN}", page("/track/index.html", STAGED), token=TOKEN),
    branch("/objects.inv", page("/objects.inv", STAGED), host="docs"),
    branch("/about", status=308, location="/about/", host="docs"),
    branch("/", status=401, host="locked"),
    branch("/", page("/index.html", STAGED), host="locked", authorization=basic()),
    branch("/", status=503, host="deleted"),
    branch("/", status=503, host="a.new-prices"),
    Case("/", page("/index.html"), host="preview.localhost", store=BRANCHES),
    branch("/", page("/index.html", LIVE),
           cookie=f"qdn_release={ticket(LIVE, environment='staging')}"),
    Case("/x.inv", page("/x.inv", OLD), host="docs.preview.localhost",
         cookie=f"qdn_release={ticket(environment='staging')}",
         store={**BRANCHES, site_key(OLD): '{"x":"|inv|"}'}),
]  # fmt: skip

ACCESS_CASES = [*PROTECTED, *CANONICAL, *HOSTS_OF_BRANCHES]
