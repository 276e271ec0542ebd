"""Measures how long a call of the edge function takes in QuickJS, for each kind of request.

Run it as `.venv/bin/python bench/function.py`. A call includes reading the key-value store and
checking the result. The kinds are measured alternately, so that a slow moment affects all of them.
A ratio is the median of the rounds' ratios.
"""

import argparse
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import count
from pathlib import Path
from statistics import median
from types import MappingProxyType
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from edge.functions.shipped import SOURCE_FILE, function_source
from edge.routing import Canary, RoutingDocument
from edge.runtime.event import ViewerRequest
from edge.runtime.quickjs import EdgeFunction
from edge.sites import Rule, Site, Slashes, folders_of, known_pages, spread

ROOT = Path(__file__).resolve().parent.parent
TOKEN = "abcdefghijklmnopqrstuv"
LIVE = RoutingDocument("production", "20260101-000000-aaaaaaaa", "20251231-000000-bbbbbbbb")
CANARY = replace(LIVE, canary=Canary("20260102-000000-cccccccc", 5, "5f0c9a1e"))
HEADERS = (("host", "localhost:8000"), ("user-agent", "Mozilla/5.0"), ("accept", "*/*"))
# Chromium sends these ten more when it opens a link.
BROWSER_HEADERS = (
    *HEADERS,
    ("accept-encoding", "gzip, deflate, br, zstd"),
    ("accept-language", "en-US,en;q=0.9"),
    ("cache-control", "max-age=0"),
    ("connection", "keep-alive"),
    ("sec-ch-ua-mobile", "?1"),
    ("sec-ch-ua-platform", '"Android"'),
    ("sec-fetch-dest", "document"),
    ("sec-fetch-mode", "navigate"),
    ("sec-fetch-site", "none"),
    ("upgrade-insecure-requests", "1"),
)


class Kind(NamedTuple):
    """Requests of one kind, without end, and the routing document they meet."""

    name: str
    requests: Iterator[ViewerRequest]
    document: RoutingDocument = LIVE
    store: Mapping[str, str] = MappingProxyType({})


def kinds() -> list[Kind]:
    """Return the kinds to measure. The others are compared with the first."""

    def request(
        path: str = f"/track/{TOKEN}", ip: str = "192.0.2.1", headers=HEADERS
    ) -> ViewerRequest:
        return ViewerRequest(path, headers, ip=ip)

    return [
        Kind("track URL", (request() for _ in count())),
        Kind(
            "track URL, with a browser's headers",
            (request(headers=BROWSER_HEADERS) for _ in count()),
        ),
        Kind("its document, requested before", (request(f"/track/{TOKEN}.json") for _ in count())),
        Kind(
            "its document, not requested before",
            (request(f"/track/{TOKEN}{n}.json") for n in count()),
        ),
        Kind("track URL, canary, one viewer", (request() for _ in count()), CANARY),
        Kind("track URL, canary, new viewers", (request(ip=ipv4(n)) for n in count()), CANARY),
        Kind("track URL, canary, new IPv6 viewers", (request(ip=ipv6(n)) for n in count()), CANARY),
    ]


def ipv4(number: int) -> str:
    """Return a different address for each number."""
    return f"198.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"


def ipv6(number: int) -> str:
    """Return an address of typical length, different for each number."""
    return f"2001:db8:{number >> 16:x}:{number & 0xFFFF:x}:21f:5bff:fe3c:7a1d"


def site_kinds() -> list[Kind]:
    """Return kinds of requests to a site of other makers, with 5,000 redirects."""
    rules = [Rule(f"/old/{number}", f"/new/{number}/", 301) for number in range(5_000)]
    exact, _, values = spread(LIVE.release, rules)
    plain = Site(slashes=Slashes.ADD, endings=("inv",))
    ruled = replace(plain, exact=exact, rule_folders=folders_of(rules))
    pages = [f"/old/{name}/" for name in ["guide", *(f"page-{number}" for number in range(31))]]
    known = replace(ruled, pages=known_pages(pages, rules))
    page = "/guide/install/"

    def kind(name: str, path: str, site: Site, store: dict[str, str]) -> Kind:
        document = replace(LIVE, site=site.as_document())
        return Kind(name, (ViewerRequest(path, HEADERS) for _ in count()), document, store)

    return [
        Kind("page", (ViewerRequest(page, HEADERS) for _ in count())),
        Kind("asset", (ViewerRequest("/assets/app.0123abcd.js", HEADERS) for _ in count())),
        kind("page of a site", page, plain, {}),
        kind("page of a site with 5,000 redirects", page, ruled, values),
        kind("page beside 5,000 redirects, known", "/old/guide/", known, values),
        kind("page beside 5,000 redirects", "/old/guide/", ruled, values),
        kind("redirect, one of 5,000", "/old/1234", ruled, values),
    ]


def measure(
    measured: list[Kind], functions: list[EdgeFunction], rounds: int, calls: int
) -> dict[str, list[list[float]]]:
    """Time each kind with each function alternately.

    Return microseconds per call: a list for each function, with one figure per round.
    """
    figures: dict[str, list[list[float]]] = {
        kind.name: [[] for _ in functions] for kind in measured
    }
    for _ in range(rounds):
        for kind in measured:
            requests = [next(kind.requests) for _ in range(calls)]
            store = {"host:localhost": kind.document.to_json(), **kind.store}
            for place, function in enumerate(functions):
                # Processor time: other work on the machine affects it less.
                started = time.process_time()
                for request in requests:
                    function.run_request(request, store, version=kind.name)
                seconds = time.process_time() - started
                figures[kind.name][place].append(seconds / calls * 1e6)
    return figures


def report(rounds: int = 40, calls: int = 500) -> None:
    """Print a line for each kind, compared with the first."""
    figures = measure(kinds(), [EdgeFunction(function_source())], rounds, calls)
    (first,) = next(iter(figures.values()))
    for name, (times,) in figures.items():
        print(f"{name}: {median(times):.1f} us, best {min(times):.1f}, ratio {ratio(times, first)}")


def compare(revision: str, rounds: int, calls: int) -> None:
    """Print a line for each kind: today's function, and its ratio to that of a revision.

    A revision that knows no sites answers theirs as ordinary pages.
    """
    shown = subprocess.run(
        ["git", "show", f"{revision}:{SOURCE_FILE.relative_to(ROOT)}"],
        capture_output=True, text=True, check=True, cwd=ROOT,
    )  # fmt: skip
    functions = [EdgeFunction(shown.stdout), EdgeFunction(function_source())]
    for name, (then, now) in measure(site_kinds() + kinds(), functions, rounds, calls).items():
        print(f"{name}: {median(now):.1f} us, ratio to {revision} {ratio(now, then)}")


def ratio(times: list[float], base: list[float]) -> str:
    """Return the median of the rounds' ratios."""
    return f"{median(one / other for one, other in zip(times, base, strict=True)):.2f}"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--calls", type=int, default=500)
    parser.add_argument("--against", metavar="REVISION", help="a revision of this repository")
    options = parser.parse_args()
    if options.against:
        compare(options.against, options.rounds, options.calls)
    else:
        report(options.rounds, options.calls)
