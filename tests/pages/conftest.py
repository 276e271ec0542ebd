"""A running site of its own, and a real browser in front of it."""

import re
import socket
import subprocess
import sys
import time
import urllib.request

import pytest
from playwright.sync_api import sync_playwright

from tests.test_processes import ROOT, Installation

CHROMIUM = "/usr/bin/chromium"


class Site(Installation):
    """Demo data, a release on staging and production, and the web server of bin/demo."""

    def __init__(self, folder):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        super().__init__(folder)
        self.environ |= {"SITE_URL": self.url, "DEBUG": "true", "PYTHONWARNINGS": "default"}
        self.environ |= {"REQUEST_WAIT_SECONDS": "1", "BOOKINGS_PER_ADDRESS_HOUR": "0"}
        done = self.manage("demo")
        assert done.returncode == 0, done.stderr
        shown = self.manage("demo", "--urls").stdout
        self.mark = re.search(r"http\S+/track/\S+", shown)[0]
        self.server = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "-c", "qdn/gunicorn.conf.py",
             "--workers", "1",  # each has a cache of its own, which may be 5 seconds behind
             "--bind", f"127.0.0.1:{self.port}", "--log-level", "error"],
            cwd=ROOT,
            env=self.environ,
        )  # fmt: skip
        self.wait_for("/healthz", "ok")

    def read(self, path):
        with urllib.request.urlopen(self.url + path) as answer:
            return answer.read().decode()

    def wait_for(self, path, text, seconds=30):
        """Wait until a page has a text."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                if text in self.read(path):
                    return
            except OSError:
                pass
            time.sleep(0.2)
        raise AssertionError(f"{path} did not show {text!r} within {seconds} s")

    def create_job(self, **kwargs):
        """Make a job and publish it; give what create_job tells, with the path of its page."""
        values = {
            "name": "Ann Birch",
            "phone": "907-555-0155",
            "address": "12 Chena Ridge Road, Fairbanks, 99709",
            **kwargs,
        }
        flags = [part for name, value in values.items() for part in (f"--{name}", value)]
        job = self.json("create_job", *flags)
        self.publish()
        return job

    def move(self, job, status):
        """Move a job and wait until the edge shows it."""
        self.json("job_status", job["number"], status)
        self.publish()
        self.wait_for(f"/track/{job['token']}.json", f'"status":"{status}"')

    def publish(self):
        done = self.manage("publish_tracking")
        assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    site = Site(tmp_path_factory.mktemp("site"))
    yield site
    site.server.terminate()
    site.server.wait(timeout=20)


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


def _keep(said, message):
    """Keep what the console says, but for a notice when a test was faster than the focus."""
    if not message.text.startswith("Autofocus processing was blocked"):
        said.append(f"{message.text} {message.location['url']}")


@pytest.fixture
def open_page(browser):
    """Give a function that opens a fresh page; what its console says is in `page.said`."""
    contexts = []

    def open_page(width=390, **kwargs):
        context = browser.new_context(viewport={"width": width, "height": 844}, **kwargs)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(90_000)  # milliseconds; a busy machine is slow, not wrong
        page.said, page.asked = [], []
        page.on("console", lambda message: _keep(page.said, message))
        page.on("pageerror", lambda error: page.said.append(str(error)))
        page.on("request", lambda request: page.asked.append(request.url))
        return page

    yield open_page
    for context in contexts:
        context.close()
