"""The cases of releases with a site document, run in QuickJS, in njs and over HTTP."""

import json
from dataclasses import replace

from edge.sites import PAGE_NUMBERS, Rule, Site, Slashes, bucket, site_key, spread
from tests.edge.functions.cases import HASH, LIVE, OLD, SECRET, STAGED, TOKEN, Case, page, ticket

RULES = [
    Rule("/old", "/new/", 301),
    Rule("/temporary", "/elsewhere/?a=1", 302),
    Rule("/kept", "/method/", 307),
    Rule("/moved", "https://example.com/there", 308),
    Rule("/caf\u00e9", "/cafe/", 301),
    Rule("/old.html", "/new/", 301),
    Rule("/LICENSE", "/LICENSE", 200),
    Rule("/alias", "/about/index.html", 200),
    Rule("/gone", "", 404),
    Rule("/blog/", "/news/:splat", 301, prefix=True),
    Rule("/blog-archive/2019/", "/archive/", 302, prefix=True),
    Rule("/docs/v1/", "https://v1.example.com/:splat", 302, prefix=True),
    Rule("/secret/", "", 404, prefix=True),
]


def site_store(site: Site, rules=(), release=LIVE, **more) -> dict[str, str]:
    """Return the keys of one host whose live release has a site document."""
    exact, prefixes, values = spread(release, rules)
    document = replace(site, exact=exact, prefixes=prefixes).as_document()
    routing = {"e": "production", "r": release, "p": OLD, "m": 0, "d": document, **more}
    return {"host:localhost": json.dumps(routing), "preview": SECRET, **values}


def cases(store: dict[str, str], *rows: tuple[str, str]) -> list[Case]:
    """Return the cases of a store: a path with its file, or with `308 <location>`."""
    made = []
    for path, expected in rows:
        status, _, location = expected.partition(" ")
        if status.isdecimal():
            made.append(Case(path, status=int(status), location=location, store=store))
        else:
            uri = expected if expected.startswith("/assets/") else page(expected.lstrip("!"))
            made.append(Case(path, uri, store=store))
    return made


SHARED = cases(
    site_store(Site()),
    ("/assets/index-BsTqAy1Z.js", "/assets/index-BsTqAy1Z.js"),
    ("/assets/index-BsTqAyZZ.css", "/assets/index-BsTqAyZZ.css"),
    ("/assets/main.484c7ddc.min.css", "/assets/main.484c7ddc.min.css"),
    ("/assets/app-5QYJZ2PW.js", "/assets/app-5QYJZ2PW.js"),
    ("/assets/0f1e2d3c4b5a.css", "/assets/0f1e2d3c4b5a.css"),
    ("/assets/a/b/0123abcd-s.p.woff2", "/assets/a/b/0123abcd-s.p.woff2"),
    ("/assets/12345678.js", "/assets/12345678.js"),
    ("/_next/static/chunks/app.js", "/assets/_next/static/chunks/app.js"),
    ("/_next/static/abc/_buildManifest.js", "/assets/_next/static/abc/_buildManifest.js"),
    ("/_astro/client.B1.js", "/assets/_astro/client.B1.js"),
    ("/_app/immutable/start.js", "/assets/_app/immutable/start.js"),
    ("/static/js/main.8c7f2e1a.js", "/assets/static/js/main.8c7f2e1a.js"),
    ("/static/js/main.8c7f2e1a.js?v=1", "/assets/static/js/main.8c7f2e1a.js"),
    # Without a hash in its name, a file belongs to the release.
    ("/assets/images/favicon.png", "!/assets/images/favicon.png"),
    ("/assets/jquery-3.7.1.min.js", "!/assets/jquery-3.7.1.min.js"),
    ("/assets/bootstrap-icons.css", "!/assets/bootstrap-icons.css"),
    ("/assets/Roboto-Regular.woff2", "!/assets/Roboto-Regular.woff2"),
    ("/assets/photo-20240105.jpg", "!/assets/photo-20240105.jpg"),
    ("/assets/documentation.js", "!/assets/documentation.js"),
    ("/assets/", "!/assets/index.html"),
    ("/static/logo.svg", "!/static/logo.svg"),
    ("/static", "!/static/index.html"),
    ("/_next/image.png", "!/_next/image.png"),
    ("/js/app.0123abcd.js", "!/js/app.0123abcd.js"),
)
PREFIXED = cases(
    site_store(Site(immutable=("/build/", "/js/"))),
    ("/build/app.0123abcd.js", "/assets/build/app.0123abcd.js"),
    ("/js/app.0123abcd.js", "/assets/js/app.0123abcd.js"),
    ("/build/app.js", "!/build/app.js"),
    ("/builds/app.0123abcd.js", "!/builds/app.0123abcd.js"),
)
FILES = cases(
    site_store(Site(endings=("inv", "gz", "docx", "c++"))),
    ("/objects.inv", "!/objects.inv"),
    ("/a/data.tar.gz", "!/a/data.tar.gz"),
    ("/Report.DOCX", "!/Report.DOCX"),
    ("/a.c++", "!/a.c++"),
    ("/v1.2", "!/v1.2/index.html"),
    ("/v1.gz/", "!/v1.gz/index.html"),
    ("/v1.gz/page", "!/v1.gz/page/index.html"),
    ("/gz", "!/gz/index.html"),
    ("/a.", "!/a./index.html"),
    ("/.well-known/apple-app-site-association", "!/.well-known/apple-app-site-association"),
    ("/.well-known/security.txt", "!/.well-known/security.txt"),
    ("/feed.xml", "!/feed.xml"),
    ("/a%20b.inv", "!/a%20b.inv"),
)
FOREIGN_NAMES = cases(
    site_store(Site()),
    ("/track/", "!/track/index.html"),
    ("/track?t=5", "!/track/index.html"),
    ("/track/5.json", "!/track/5.json"),
    ("/book/ch1/", "!/book/ch1/index.html"),
    ("/book/ch1", "!/book/ch1/index.html"),
    ("/dashboard/today", "!/dashboard/today/index.html"),
    ("/api/", "!/api/index.html"),
)
OURS = [
    *cases(
        site_store(Site(surfaces=True, endings=("inv",))),
        ("/book/ch1", "!/book/index.html"),
        ("/objects.inv", "!/objects.inv"),
        (f"/track?t={TOKEN}", f"301 /track/{TOKEN}"),
    ),
    Case(f"/track/{TOKEN}", page("/track/index.html"), token=TOKEN,
         store=site_store(Site(surfaces=True, endings=("inv",)))),
    Case(f"/track/{TOKEN}.json", f"/jobs/{HASH}.json",
         store=site_store(Site(surfaces=True, endings=("inv",)))),
]  # fmt: skip
FLAT = cases(
    site_store(Site(flat=True)),
    ("/", "!/index.html"),
    ("/genindex", "!/genindex.html"),
    ("/genindex.html", "!/genindex.html"),
    ("/api/", "!/api/index.html"),
    ("/api/module", "!/api/module.html"),
)
SLASHES = [
    *cases(
        site_store(Site(slashes=Slashes.ADD)),
        ("/", "!/index.html"),
        ("/a/b/", "!/a/b/index.html"),
        ("/a/b", "308 /a/b/"),
        ("/a/b?x=1&y", "308 /a/b/?x=1&y="),
        ("/a/b.css", "!/a/b.css"),
        ("/v1.2", "308 /v1.2/"),
        ("/caf%C3%A9", "308 /caf%C3%A9/"),
    ),
    *cases(
        site_store(Site(slashes=Slashes.REMOVE, flat=True)),
        ("/", "!/index.html"),
        ("/a/b/", "308 /a/b"),
        ("/a/b", "!/a/b.html"),
        ("/a/?x=1", "308 /a?x=1"),
    ),
    *cases(
        site_store(Site(slashes=Slashes.REMOVE)),
        ("/a", "!/a/index.html"),
        ("/a/", "308 /a"),
    ),
]
FALLBACK = cases(
    site_store(Site(fallback="/index.html"), [Rule("/about", "/about/index.html", 200)]),
    ("/", "!/index.html"),
    ("/users/5", "!/index.html"),
    ("/users/5/", "!/index.html"),
    ("/about", "!/about/index.html"),
    ("/about/", "!/about/index.html"),
    ("/users/ames.mark", "!/index.html"),
    ("/missing.js", "!/missing.js"),
    ("/deep/link?tab=2", "!/index.html"),
)
RULED = cases(
    site_store(Site(slashes=Slashes.ADD, rule_endings=("html",)), RULES),
    ("/old", "301 /new/"),
    ("/old/", "301 /new/"),
    ("/old?utm=x", "301 /new/?utm=x"),
    ("/temporary", "302 /elsewhere/?a=1"),
    ("/temporary?b=2", "302 /elsewhere/?a=1"),
    ("/kept", "307 /method/"),
    ("/moved", "308 https://example.com/there"),
    ("/caf%C3%A9", "301 /cafe/"),
    ("/caf%c3%a9/", "301 /cafe/"),
    ("/old.html", "301 /new/"),
    ("/new.html", "!/new.html"),
    ("/LICENSE", "!/LICENSE"),
    ("/alias", "!/about/index.html"),
    ("/gone", "!/404"),
    ("/Old", "308 /Old/"),
    ("/old/more/", "!/old/more/index.html"),
    ("/toString", "308 /toString/"),
    ("/__proto__/", "!/__proto__/index.html"),
    ("/blog/", "301 /news/"),
    ("/blog", "301 /news/"),
    ("/blog/2020/a", "301 /news/2020/a"),
    ("/blog/2020/a/?x=1", "301 /news/2020/a/?x=1"),
    ("/blog/%C3%A9%20x", "301 /news/%C3%A9%20x"),
    ("/blogs/", "!/blogs/index.html"),
    ("/blog-archive/2019/x", "302 /archive/"),
    ("/blog-archive/2020/", "!/blog-archive/2020/index.html"),
    ("/docs/v1/a/b", "302 https://v1.example.com/a/b"),
    ("/docs/v2/", "!/docs/v2/index.html"),
    ("/secret/x", "!/404"),
    ("/blog//evil.example", "400"),
    ("/blog/../x", "400"),
)
# The rule for the known page shows that none is looked up for it.
KNOWN = cases(
    site_store(
        Site(
            slashes=Slashes.ADD, rule_folders=("old",), pages=(bucket("/old/page/", PAGE_NUMBERS),)
        ),
        [Rule("/old/page", "/never/", 301), Rule("/old/gone", "/new/", 301)],
    ),
    ("/old/page/", "!/old/page/index.html"),
    ("/old/gone/", "301 /new/"),
    ("/old/other/", "!/old/other/index.html"),
)
OTHERS = [
    # A preview and a canary have site documents of their own.
    Case("/objects.inv", page("/objects.inv", OLD), cookie=f"qdn_release={ticket()}",
         store={**site_store(Site()), site_key(OLD): json.dumps({"x": "|inv|"})}),
    Case("/objects.inv", page("/objects.inv/index.html", OLD), cookie=f"qdn_release={ticket()}",
         store=site_store(Site(endings=("inv",)))),
    Case("/objects.inv", page("/objects.inv", STAGED),
         store={**site_store(Site(), c={"r": STAGED, "pct": 100, "s": "1", "d": 1}),
                site_key(STAGED): json.dumps({"x": "|inv|"})}),
    Case("/objects.inv", page("/objects.inv/index.html", STAGED),
         store=site_store(Site(endings=("inv",)), c={"r": STAGED, "pct": 100, "s": "1"})),
    Case("/old", status=503, store=site_store(Site(), RULES, m=1)),
]  # fmt: skip

SITE_CASES = [
    *SHARED, *PREFIXED, *FILES, *FOREIGN_NAMES, *OURS, *FLAT, *SLASHES, *FALLBACK, *RULED, *KNOWN,
    *OTHERS,
]  # fmt: skip
