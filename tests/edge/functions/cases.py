"""The cases of the shipped function, run in QuickJS, in njs and over HTTP."""

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass, field

from edge.runtime.event import viewer_event

NOW = 1_800_000_000
SECRET = "preview-secret"
LIVE, STAGED, CANARY, OLD = (
    "20260102-000000-aaaaaaaa",
    "20260103-000000-bbbbbbbb",
    "20260104-000000-cccccccc",
    "20260101-000000-dddddddd",
)
TOKEN = "Zm9vYmFyLXRva2VuX3"
HASH = hashlib.sha256(TOKEN.encode()).hexdigest()


def routing(environment="production", release=LIVE, **more) -> str:
    return json.dumps({"e": environment, "r": release, "p": OLD, "m": 0, **more})


STORE = {
    "host:localhost": routing(),
    "host:127.0.0.1": routing(),
    "host:[::1]": routing(),
    "host:staging.localhost": routing("staging", STAGED),
    "host:down.localhost": routing(m=1),
    "host:message.localhost": routing(m=1, t="Back at 6 <b>pm</b> & \u2603"),
    "host:unopened.localhost": routing(release="", m=1, t="We open on Monday."),
    "host:unset.localhost": routing(release="", t="Not for viewers."),
    "host:trying.localhost": routing(m=1, c={"r": CANARY, "pct": 100, "s": "5f0c9a1e"}),
    "host:broken.localhost": "{not json",
    "host:empty.localhost": "{}",
    "env:production": routing(),
    "env:staging": routing("staging", STAGED),
    "preview": SECRET,
}


def ticket(
    release=OLD, expiry=NOW + 3600, environment="production", secret=SECRET, signature=""
) -> str:
    """Sign a preview as deployments does."""
    text = f"{environment}.{release}.{expiry}"
    digest = hmac.digest(secret.encode(), text.encode(), "sha256")
    signed = base64.urlsafe_b64encode(digest).decode().rstrip("=")
    return f"{release}.{expiry}.{signature or signed}"


@dataclass(frozen=True)
class Case:
    """A request, and either the URI it is rewritten to or the status of the response."""

    path: str
    uri: str = ""
    status: int = 0
    host: str = "localhost"
    cookie: str = ""
    ip: str = "192.0.2.1"
    authorization: str = ""
    location: str = ""
    sets: tuple[str, ...] = ()  # the Set-Cookie values
    token: str = ""  # the header x-tracking-token
    says: str = "try again"  # the page of a 503
    store: dict = field(default_factory=lambda: STORE)

    def event(self):
        path, _, query = self.path.partition("?")
        return viewer_event(
            uri=path,
            querystring=query,
            headers={"host": self.host, "user-agent": "test", **self._credentials},
            cookies=self.cookie,
            ip=self.ip,
            request_id="1",
        )

    @property
    def _credentials(self) -> dict[str, str]:
        return {"authorization": self.authorization} if self.authorization else {}

    @property
    def name(self) -> str:
        return f"{self.host} {self.path} {self.cookie} {self.authorization}".encode(
            "unicode_escape"
        ).decode()


def page(path: str, release=LIVE) -> str:
    return f"/releases/{release}{path}"


TRACK = page("/track/index.html")
TRACK_STAGED = page("/track/index.html", STAGED)
CLEARED = (
    "qdn_release=live; Path=/; Max-Age=0; Secure; SameSite=Lax; HttpOnly",
    "qdn_preview=live; Path=/; Max-Age=0; Secure; SameSite=Lax",
)


def previewing(ticket: str, seconds=3600) -> tuple[str, str]:
    """Return the cookies of a preview: the ticket for the edge, the name for the banner."""
    attributes = f"Path=/; Max-Age={seconds}; Secure; SameSite=Lax"
    return (
        f"qdn_release={ticket}; {attributes}; HttpOnly",
        f"qdn_preview={ticket.partition('.')[0]}; {attributes}",
    )


TRACKING = [
    Case(f"/track/{TOKEN}", TRACK, token=TOKEN),
    Case(f"/track/{TOKEN}/", TRACK, token=TOKEN),
    Case("/track/AB.12", TRACK, token="AB.12"),
    Case("/track/AB.js", TRACK, token="AB.js"),
    Case("/track/a%20b", TRACK, token="a%20b"),
    Case("/track", TRACK),
    Case("/track/", TRACK),
    Case("/track.html", TRACK),
    Case(f"/track/{TOKEN}.json", f"/jobs/{HASH}.json"),
    Case(f"/track/{TOKEN.replace('-', '%2D')}.json", f"/jobs/{HASH}.json"),
    Case(f"/track/{TOKEN}.json?v=1", f"/jobs/{HASH}.json"),
    Case(f"/track/{TOKEN}.json/", TRACK, token=f"{TOKEN}.json"),
    Case("/track/.json", TRACK, token=".json"),
    Case(f"/track/{TOKEN}/more", page(f"/track/{TOKEN}/more/index.html")),
    Case(f"/track-staging/{TOKEN}", TRACK_STAGED, token=TOKEN),
    Case(f"/track-staging/{TOKEN}/", TRACK_STAGED, token=TOKEN),
    Case("/track-staging", TRACK_STAGED),
    Case(f"/track-staging/{TOKEN}.json", f"/jobs/{HASH}.json"),
]

OLD_LINKS = [
    *(
        Case(f"{path}?{name}={TOKEN}", status=301, location=f"/track/{TOKEN}")
        for path in ("/track.html", "/track", "/track/")
        for name in ("token", "t")
    ),
    *(
        Case(f"{path}?{name}={TOKEN}", status=301, location=f"/track-staging/{TOKEN}")
        for path in ("/track-staging.html", "/track-staging", "/track-staging/")
        for name in ("token", "t")
    ),
    Case("/track?t=AB.12&utm=x", status=301, location="/track/AB.12"),
    Case("/track?t=a%20b%3Fc%23d%26e", status=301, location="/track/a%20b%3Fc%23d%26e"),
    Case("/track?t=%C3%A9", status=301, location="/track/%C3%A9"),
    # Nothing a viewer writes there may become a header, another host or another path.
    Case("/track?t=a%0d%0aset-cookie:x", TRACK),
    Case("/track?t=%2f%2fevil.example", TRACK),
    Case("/track?t=//evil.example", TRACK),
    Case("/track?t=%5cevil.example", TRACK),
    Case("/track?t=..", TRACK),
    Case("/track?t=%2e%2e", TRACK),
    Case("/track?t=%00", TRACK),
    Case("/track?t=%zz", TRACK),
    Case("/track?t=", TRACK),
    Case("/track?other=1", TRACK),
    Case(f"/book?token={TOKEN}", page("/book/index.html")),
    Case(f"/track/{TOKEN}?t=other", TRACK, token=TOKEN),
]

PAGES = [
    Case("/", page("/index.html")),
    Case("/?utm_source=mail", page("/index.html")),
    Case("/book/", page("/book/index.html")),
    Case("/book", page("/book/index.html")),
    Case("/book/thanks", page("/book/index.html")),
    Case("/dashboard/", page("/dashboard/index.html")),
    Case("/dashboard/today", page("/dashboard/index.html")),
    Case("/book-staging/", page("/book/index.html", STAGED)),
    Case("/book-staging", page("/book/index.html", STAGED)),
    Case("/dashboard-staging/", page("/dashboard/index.html", STAGED)),
    Case("/about", page("/about/index.html")),
    Case("/about/", page("/about/index.html")),
    Case("/v1.2", page("/v1.2/index.html")),
    Case("/robots.txt", page("/robots.txt")),
    Case("/book.html", page("/book.html")),
    Case("/favicon.ICO", page("/favicon.ICO")),
    Case("/docs/guide.pdf?download", page("/docs/guide.pdf")),
    Case("/bookkeeping", page("/bookkeeping/index.html")),
    Case("/home-staging/", page("/home-staging/index.html")),
    # No environment has that name, so these are ordinary pages.
    Case("/book-club/", page("/book-club/index.html")),
    Case("/track-record", page("/track-record/index.html")),
    Case("/%62ook/", page("/%62ook/index.html")),
    Case("/", page("/index.html", STAGED), host="staging.localhost"),
    Case("/", page("/index.html", STAGED), host="STAGING.localhost:8000"),
    Case("/", page("/index.html"), host="[::1]"),
    Case("/", page("/index.html"), host="[::1]:8000"),
    Case("/assets/app.0123abcd.css", "/assets/app.0123abcd.css", host="unknown.example"),
    Case("/assets/app.0123abcd.css", "/assets/app.0123abcd.css", host="down.localhost"),
    Case("/.well-known/x", page("/.well-known/x")),
    Case("/.well-known/acme-challenge/y?z", page("/.well-known/acme-challenge/y")),
]

# Nothing private is reachable by its own name: it is looked for inside the live release.
PRIVATE = [
    Case(f"/releases/{LIVE}/index.html", page(f"/releases/{LIVE}/index.html")),
    Case("/registry/jobs.json", page("/registry/jobs.json")),
    Case("/audit/x.json", page("/audit/x.json")),
    Case(f"/jobs/{HASH}.json", page(f"/jobs/{HASH}.json")),
    Case("/errors/404.html", page("/errors/404.html")),
    Case("/%72egistry/jobs.json", page("/%72egistry/jobs.json")),
    Case("/assets", page("/assets/index.html")),
]

REFUSED = [
    Case(path, status=400)
    for path in (
        "/%2e%2e/", "/..", "/../registry/jobs.json", "/assets/../registry/jobs.json",
        "/assets/%2e%2e/registry/jobs.json", "/assets/%2E./x", "/./x", "/a/.", "/a%2fb", "/a%2Fb",
        "/a%5cb", "/a\\b", "/a%00b", "/a%0d%0ab", "/a\tb", "/a%7fb", "/a%", "/a%2", "/a%zz",
        "/%ff", "//evil.example", "/a//b", "/.well-known/../registry/jobs.json", "/track/..",
        "/track/%2e%2e.json/../x", "/track/\u00e9", "/a b",
    )
]  # fmt: skip

UNAVAILABLE = [
    Case("/", status=503, host="unknown.example"),
    Case("/", status=503, host=""),
    Case("/", status=503, host="broken.localhost"),
    Case("/", status=503, host="empty.localhost"),
    Case("/", status=503, host="down.localhost"),
    Case(f"/track/{TOKEN}.json", status=503, host="down.localhost"),
    Case("/", status=503, host="trying.localhost"),
    Case("/", status=503, host="message.localhost",
         says="<p>Back at 6 &#60;b&#62;pm&#60;/b&#62; &#38; \u2603</p>"),
    Case("/", status=503, host="unopened.localhost", says="<p>We open on Monday.</p>"),
    Case("/", status=503, host="unset.localhost"),
]  # fmt: skip

PREVIEWS = [
    Case(f"/?release={ticket()}", status=302, location="/", sets=previewing(ticket())),
    Case(
        f"/about?a=1&release={ticket()}&b=%20&a=2&c",
        status=302,
        location="/about?a=1&a=2&b=%20&c=",
        sets=previewing(ticket()),
    ),
    Case("/?release=live", status=302, location="/", sets=CLEARED),
    Case("/?x=1&release=live", status=302, location="/?x=1", sets=CLEARED),
    Case("/?x=\u00e9 \U0001f69a&release=live", status=302,
         location="/?x=%C3%A9%20%F0%9F%9A%9A", sets=CLEARED),
    Case("/", page("/index.html", OLD), cookie=f"other=1; qdn_release={ticket()}"),
    Case(f"/track/{TOKEN}", page("/track/index.html", OLD), cookie=f"qdn_release={ticket()}",
         token=TOKEN),
    Case(f"/track/{TOKEN}.json", f"/jobs/{HASH}.json", cookie=f"qdn_release={ticket()}"),
    Case("/", page("/index.html", OLD), host="staging.localhost",
         cookie=f"qdn_release={ticket(environment='staging')}"),
    # Operators look at a site before they open it again.
    *(
        Case("/", page("/index.html", OLD), host=f"{host}.localhost",
             cookie=f"qdn_release={ticket()}")
        for host in ("down", "message", "unopened", "unset", "trying")
    ),
    Case(f"/a?release={ticket()}", status=302, location="/a", host="down.localhost",
         sets=previewing(ticket())),
    Case("/a?release=live", status=302, location="/a", host="down.localhost", sets=CLEARED),
    Case(f"/track/{TOKEN}.json", f"/jobs/{HASH}.json", host="down.localhost",
         cookie=f"qdn_release={ticket()}"),
]  # fmt: skip

_WORTHLESS = {
    "forged": ticket(signature="A" * 43),
    "cut": ticket()[:-1],
    "longer": ticket() + "A",
    "expired": ticket(expiry=NOW - 1),
    "expiring": ticket(expiry=NOW),
    "foreign": ticket(environment="staging"),
    "other-secret": ticket(secret="other"),
    "path": ticket(release="../registry"),
    "nonsense": "nonsense",
    "empty": "",
}
NO_PREVIEWS = [
    *(Case(f"/?release={value}", page("/index.html")) for value in _WORTHLESS.values()),
    *(Case("/", page("/index.html"), cookie=f"qdn_release={v}") for v in _WORTHLESS.values()),
    Case("/", page("/index.html"), cookie="qdn_release=live"),
    Case(f"/?release={ticket()}", page("/index.html"),
         store={key: value for key, value in STORE.items() if key != "preview"}),
    Case(f"/?release={ticket(secret='')}", page("/index.html"), store={**STORE, "preview": ""}),
    *(
        Case(f"/?release={value}", status=503, host="down.localhost", cookie=f"qdn_release={value}")
        for value in _WORTHLESS.values()
    ),
    Case("/", page("/index.html"), cookie="qdn_preview=20260101-000000-dddddddd"),
    Case(f"/?release={ticket()}", status=503, host="unknown.example"),
]  # fmt: skip


CASES = [
    *TRACKING, *OLD_LINKS, *PAGES, *PRIVATE, *REFUSED, *UNAVAILABLE, *PREVIEWS, *NO_PREVIEWS,
]  # fmt: skip
