"""Shows that a canary which is slower for real browsers ends by itself, and an equal one stays.

Run it as `.venv/bin/python -m bench.canary_watch` (`--slower MS`, `--views`, `--browsers`). It
starts an empty installation with web server and task clusters, shows a second release to half of
the viewers, and opens the home page in Chromium, from many addresses. The second release
has a script in its head that blocks for as long as `--slower` says; 0 makes it an equal one.
"""

import argparse
import asyncio
import json
import os
import random
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, async_playwright

from bench.places import ROOT

MARGIN = 20
BLOCKS = "const end = performance.now() + {}; while (performance.now() < end);"
LEAVES = "dispatchEvent(new PageTransitionEvent('pagehide'))"
# Reports are written every 5 seconds, and the task looks every minute.
PATIENCE = 90
EACH = 10  # views from one address


class Site:
    """An installation with a release on staging and production, and its processes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://localhost:{self.port}"
        database = f"sqlite:///{folder}/db.sqlite3"
        self.environ = {**os.environ, "DATA_DIR": str(folder), "DATABASE_URL": database}
        self.environ |= {"DEBUG": "true", "SITE_URL": self.url, "TRUSTED_PROXIES": "1"}
        self.environ.pop("REDIS_URL", None)
        self.manage("migrate", "--verbosity", "0")
        self.manage("demo")
        gunicorn = ["gunicorn", "-c", "qdn/gunicorn.conf.py", "--workers", "1"]
        address = ["--bind", f"127.0.0.1:{self.port}", "--log-level", "error"]
        self.processes = [
            self.start("-m", *gunicorn, *address),
            self.start("manage.py", "work"),
        ]
        while not self.answers():
            time.sleep(0.2)

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        quiet: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        return subprocess.Popen([sys.executable, *arguments], cwd=ROOT, env=self.environ, **quiet)

    def manage(self, *arguments: str) -> str:
        command = [sys.executable, "manage.py", *arguments]
        return subprocess.check_output(command, cwd=ROOT, env=self.environ, text=True)

    def answers(self) -> bool:
        with suppress(OSError):
            return bool(self.read("/healthz"))
        return False

    def read(self, path: str) -> str:
        with urllib.request.urlopen(self.url + path) as answer:
            text: str = answer.read().decode()
            return text

    def push_changed(self, folder: Path, slower: int) -> None:
        """Push the live release with a script more in the head of its home page."""
        for row in json.loads(self.read("/manifest.json")):
            path = folder / row["path"]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(self.read(f"/{row['path']}"))
        (folder / "blocks.js").write_text(BLOCKS.format(slower))
        home = folder / "index.html"
        added = '<head><script src="/blocks.js"></script>'
        home.write_text(home.read_text().replace("<head>", added, 1))
        self.manage("push", "--source", str(folder))

    def production(self) -> dict[str, Any]:
        rows = json.loads(self.manage("status", "--json"))
        return next(row for row in rows if row["environment"] == "production")

    def has_ended(self) -> bool:
        """Whether the canary has, as the database says."""
        with closing(sqlite3.connect(self.folder / "db.sqlite3")) as database:
            (ended,) = database.execute(
                "SELECT count(*) FROM deployments_deployment JOIN deployments_outcome"
                " ON deployment_id = deployments_deployment.id WHERE kind = 'rollback'"
            ).fetchone()
        return bool(ended)

    def stop(self) -> None:
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            process.wait(timeout=60)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--slower", type=int, default=400, metavar="MS")
    parser.add_argument("--views", type=int, default=800)
    parser.add_argument("--browsers", type=int, default=4, help="pages open at once")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        site = Site(Path(folder) / "data")
        try:
            print("The site answers", flush=True)
            site.push_changed(Path(folder) / "site", options.slower)
            site.manage("environment", "set", "production", "--yes",
                        "--canary-margin", str(MARGIN))  # fmt: skip
            site.manage("promote", "--canary", "50", "--yes")
            asyncio.run(look(site, options.views, options.browsers))
            report(site)
        finally:
            site.stop()


async def look(site: Site, views: int, browsers: int) -> None:
    """Open the home page many times, or until the canary has ended."""
    started, left = time.monotonic(), list(range(0, views, EACH))
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox"]
        )

        async def viewers() -> None:
            while left and not site.has_ended():
                left.pop()
                await visit(browser, site.url)

        await asyncio.gather(*(viewers() for _ in range(browsers)))
        await browser.close()
    seen = views - EACH * len(left)
    print(f"{seen} views in {time.monotonic() - started:.0f} s", flush=True)


async def visit(browser: Browser, url: str) -> None:
    """Open the home page EACH times from one address."""
    address = ".".join(str(random.randint(1, 254)) for _ in range(4))
    context = await browser.new_context(extra_http_headers={"X-Forwarded-For": address})
    page = await context.new_page()
    for _ in range(EACH):
        await page.goto(url)
        await page.wait_for_timeout(60)
        await page.evaluate(LEAVES)
        await page.wait_for_timeout(20)
    await context.close()


def report(site: Site) -> None:
    """Wait for the task and say what it did."""
    started, now = time.monotonic(), site.production()
    while now["canary"] and time.monotonic() - started < PATIENCE:
        time.sleep(5)
        now = site.production()
    for one in now["timings"]:
        lcp = one["metrics"]["lcp"]
        print(f"{one['release']}: {one['views']} views, LCP p75 {lcp['p75']:.0f} ms")
    last = json.loads(site.manage("history", "--environment", "production", "--json"))[0]
    if now["canary"]:
        print("The canary goes on.")
    else:
        print(
            f"Ended by {last['actor']} after {time.monotonic() - started:.0f} s: {last['reason']}"
        )


if __name__ == "__main__":
    main()
