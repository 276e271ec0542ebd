"""Measures how long a call of the edge function takes in QuickJS, for each kind of request.

Run it as `.venv/bin/python bench/function.py`. A call includes reading the key-value store and
checking the result. The kinds are measured alternately, so that a slow moment affects all of them.
A ratio is the median of the rounds' ratios.
"""

import argparse
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path
from statistics import median
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from edge.functions.shipped import function_source
from edge.routing import Canary, RoutingDocument
from edge.runtime.event import ViewerRequest
from edge.runtime.quickjs import EdgeFunction

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


def measure(rounds: int, calls: int) -> dict[str, list[float]]:
    """Time each kind alternately; return microseconds per call, one figure per round."""
    function = EdgeFunction(function_source())
    measured = kinds()
    figures: dict[str, list[float]] = {kind.name: [] for kind in measured}
    for _ in range(rounds):
        for kind in measured:
            requests = [next(kind.requests) for _ in range(calls)]
            store = {"host:localhost": kind.document.to_json()}
            version = "canary" if kind.document.canary else "live"
            # Processor time: other work on the machine affects it less.
            started = time.process_time()
            for request in requests:
                function.run_request(request, store, version=version)
            figures[kind.name].append((time.process_time() - started) / calls * 1e6)
    return figures


def report(rounds: int = 40, calls: int = 500) -> None:
    """Print a line for each kind."""
    times = measure(rounds, calls)
    first = next(iter(times.values()))
    for name, figures in times.items():
        ratio = median(one / base for one, base in zip(figures, first, strict=True))
        print(f"{name}: {median(figures):.1f} us, best {min(figures):.1f}, ratio {ratio:.2f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--calls", type=int, default=500)
    options = parser.parse_args()
    report(options.rounds, options.calls)
