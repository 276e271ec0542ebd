"""Measures when a phone with a slow connection shows the status of a job, against an empty page.

Run bin/demo in another terminal, then `.venv/bin/python bench/track_page.py LINK` with the tracking
link that it prints. Chromium slows the connection down (DevTools' network conditions: each request
waits for the latency, and all share the rate) and the processor. Every load has an empty cache. The
empty page is one sentence from a server of its own, loaded in turns with the other under the same
conditions. Exits with 1 if an aim is missed.
"""

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from statistics import median
from threading import Thread

from playwright.sync_api import Browser, sync_playwright

CHROMIUM = "/usr/bin/chromium"
EMPTY = b'<!doctype html><title>Empty</title><p id="status" data-status="any">Scheduled'
# Resolves in the frame that shows the status, with the milliseconds since the navigation began.
SHOWN = """() => new Promise((resolve) => {
  const look = () => document.querySelector('#status:not([data-status=""])')
    ? requestAnimationFrame(() => resolve(performance.now())) : requestAnimationFrame(look);
  look();
})"""


@dataclass(frozen=True)
class Conditions:
    """A connection (kbit/s and milliseconds), how much slower the processor is, and the aim."""

    kbits: int
    latency: int
    slowdown: int
    aim: float  # seconds

    def __str__(self) -> str:
        return f"{self.kbits} kbit/s, {self.latency} ms, processor {self.slowdown} times slower"


CONDITIONS = (Conditions(400, 400, 1, 1.7), Conditions(1600, 150, 4, 1.0))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("link", help="a tracking link of a running installation")
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args()
    missed = 0
    with sync_playwright() as playwright, empty_page() as empty:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for conditions in CONDITIONS:
            times: dict[str, list[float]] = {options.link: [], empty: []}
            for _ in range(options.rounds):
                for url, measured in times.items():
                    measured.append(seconds_until_shown(browser, url, conditions))
            page, base = (median(measured) for measured in times.values())
            missed += page > conditions.aim
            spread = f"{min(times[options.link]):.2f} to {max(times[options.link]):.2f} s"
            print(
                f"{conditions}: {page:.2f} s ({spread}; aim {conditions.aim} s), "
                f"empty page {base:.2f} s, ratio {page / base:.2f}"
            )
        browser.close()
    return 1 if missed else 0


def seconds_until_shown(
    browser: Browser, url: str, conditions: Conditions, *, shown: str = SHOWN
) -> float:
    """Load a page in a fresh profile and return when it shows the status, or what `shown` awaits.

    `shown` is a function of JavaScript that resolves to milliseconds since the navigation began.
    """
    context = browser.new_context(viewport={"width": 390, "height": 844})
    page = context.new_page()
    devtools = context.new_cdp_session(page)
    rate = conditions.kbits * 1000 / 8  # bytes/s
    network = {"offline": False, "latency": conditions.latency}
    devtools.send("Network.enable")
    devtools.send(
        "Network.emulateNetworkConditions",
        {**network, "downloadThroughput": rate, "uploadThroughput": rate},
    )
    devtools.send("Emulation.setCPUThrottlingRate", {"rate": conditions.slowdown})
    page.goto(url, wait_until="commit")
    milliseconds: float = page.evaluate(shown)
    context.close()
    return milliseconds / 1000


class EmptyPage(BaseHTTPRequestHandler):
    """Answers every request with the empty page."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(EMPTY)))
        self.end_headers()
        self.wfile.write(EMPTY)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its own name for it
        """Say nothing."""


@contextmanager
def empty_page() -> Iterator[str]:
    """Serve the empty page, and give its URL."""
    server = HTTPServer(("127.0.0.1", 0), EmptyPage)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()


if __name__ == "__main__":
    sys.exit(main())
