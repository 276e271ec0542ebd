"""Measures when a phone with a slow connection shows a crew's run, against an empty page.

Run bin/demo in another terminal, then `.venv/bin/python -m bench.crew_page LINK` with a crew's link
of today from the office. Prints when the first jobs can be read, with an empty cache each time, and
how many bytes the page takes with its style and script, compressed. The empty page is loaded in
turns with it under the same conditions (see bench/track_page.py). Exits with 1 if an aim is missed.
"""

import argparse
import gzip
import sys
from statistics import median

from playwright.sync_api import Browser, Response, sync_playwright

from bench.track_page import CHROMIUM, Conditions, empty_page, seconds_until_shown

CONDITIONS = Conditions(400, 400, 1, 2.0)
MOST_BYTES = 20 * 1024
# Resolves in the frame that shows a job, or the sentence of the empty page.
SHOWN = """() => new Promise((resolve) => {
  const look = () => document.querySelector('.stop h2, .none, #status')
    ? requestAnimationFrame(() => resolve(performance.now())) : requestAnimationFrame(look);
  look();
})"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("link", help="a crew's link of today, of a running installation")
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args()
    with sync_playwright() as playwright, empty_page() as empty:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        times: dict[str, list[float]] = {options.link: [], empty: []}
        for _ in range(options.rounds):
            for url, measured in times.items():
                measured.append(seconds_until_shown(browser, url, CONDITIONS, shown=SHOWN))
        size = compressed_bytes(browser, options.link)
        browser.close()
    page, base = (median(measured) for measured in times.values())
    spread = f"{min(times[options.link]):.2f} to {max(times[options.link]):.2f} s"
    print(
        f"{CONDITIONS}: {page:.2f} s ({spread}; aim {CONDITIONS.aim} s), "
        f"empty page {base:.2f} s, ratio {page / base:.2f}"
    )
    print(f"page, style and script: {size:,} bytes compressed (aim {MOST_BYTES:,})")
    return 1 if page > CONDITIONS.aim or size > MOST_BYTES else 0


def compressed_bytes(browser: Browser, url: str) -> int:
    """Return the size of all that the first view of a page reads, compressed as a proxy does."""
    context = browser.new_context(service_workers="block")
    page = context.new_page()
    answers: list[Response] = []
    page.on("response", lambda answer: answers.append(answer))  # noqa: PLW0108 - gets attributes
    page.goto(url, wait_until="networkidle")
    size = sum(len(gzip.compress(answer.body(), 6)) for answer in answers)
    context.close()
    return size


if __name__ == "__main__":
    sys.exit(main())
