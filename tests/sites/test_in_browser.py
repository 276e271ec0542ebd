"""Sites in a real browser: pages, deep links, fonts, search, a service worker, the error page."""

from contextlib import ExitStack
from dataclasses import dataclass
from socketserver import ThreadingMixIn
from threading import Thread
from urllib.parse import urlsplit
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import pytest

from edge.protocols import Snapshot
from edge.serving.wsgi import LocalEdge
from tests.pages.conftest import browser
from tests.sites.built import SITES
from tests.sites.conftest import HOST, each

__all__ = ["browser"]  # the fixture
pytestmark = pytest.mark.browser
MISSING = "/no-such-page"


class Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class Quiet(WSGIRequestHandler):
    def log_message(self, *args):
        pass


class Tab:
    """A page of the browser, and what went wrong on it."""

    def __init__(self, page, url):
        self.page, self.url, self.faults = page, url, []
        page.on("console", lambda said: self._add(said.location["url"], said.text))
        page.on("pageerror", lambda error: self._add(page.url, str(error)))
        page.on("requestfailed", lambda one: self._add(one.url, one.failure))

    def _add(self, url, text):
        """Keep a fault, unless a page is to be missing or the visitor left while a file came."""
        is_missing = url.rstrip("/").endswith(MISSING) and "404" in text
        if not is_missing and text != "net::ERR_ABORTED":
            self.faults.append(f"{url}: {text}")

    def open(self, path):
        """Open an address; return its status and heading."""
        return self._seen(self.page.goto(self.url + path, wait_until="networkidle"))

    def reload(self):
        return self._seen(self.page.reload(wait_until="networkidle"))

    def _seen(self, response):
        # Some themes add a sign to headings, which links to them.
        heading = self.page.locator("h1").first.inner_text().strip("¶# \n\u200b")
        return response.status, heading

    def expect(self, heading):
        """Wait for a heading."""
        self.page.locator("h1", has_text=heading).first.wait_for()
        self.page.wait_for_load_state("networkidle")

    @property
    def path(self):
        return urlsplit(self.page.url).path

    def fonts(self):
        """Return the states of the fonts that the page loads from the site."""
        faces = """document.fonts.ready.then((all) => [...all]
            .filter((one) => !one.family.includes("Fallback")).map((one) => one.status))"""
        return set(self.page.evaluate(faces))


@pytest.fixture(scope="module", autouse=True)
def database_beside_the_browser():
    """Let Django use the database while the browser's event loop runs in this thread."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        yield


@pytest.fixture
def tab(browser, backend, pushed):
    """Return a function that pushes a site, serves it and opens a tab."""
    with ExitStack() as stack:

        def open_tab(site):
            pushed(backend, site)
            snapshot = backend.read_snapshot(Snapshot())
            edge = LocalEdge(None, objects=backend.objects, read_snapshot=lambda known: snapshot)
            server = stack.enter_context(make_server("127.0.0.1", 0, edge, Server, Quiet))
            thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
            thread.start()
            stack.callback(thread.join)
            stack.callback(server.shutdown)
            context = browser.new_context(viewport={"width": 1280, "height": 800})
            stack.callback(context.close)
            return Tab(context.new_page(), f"http://{HOST}:{server.server_port}")

        yield open_tab


def seen(*names):
    """Return sites, all without names, as parameters of a test that shows them in a browser."""
    return each([SITES[name] for name in names or SITES])


@dataclass(frozen=True)
class Tour:
    """What a visitor sees: the first page, a link on it, where it leads, and the error page."""

    first: str
    link: str
    path: str
    second: str
    missing: str = "No such page"
    has_fonts: bool = True


TOURS = {
    "mkdocs": Tour("Small docs", "guide", "/guide/sorting/", "Sorting", "404 - Not found"),
    "sphinx": Tour("Small reference", "Scales", "/api/scales.html", "Scales", has_fonts=False),
    "vite": Tour("Small shop", "Prices", "/prices/mattress", "One mattress: $40"),
    "astro": Tour("Small firm", "Prices", "/prices/", "Prices"),
    "eleventy": Tour("Small diary", "Version 1.2", "/news/v1.2/", "Version 1.2"),
    "next": Tour("Small dashboard", "About", "/about", "About"),
    "cra": Tour("Small app", "Prices", "/prices/chair", "One chair: $20"),
    "docusaurus": Tour(
        "Small handbook", "lifting", "/lifting", "Lifting", "Page Not Found", has_fonts=False
    ),
}


@pytest.mark.parametrize("site", seen())
def test_visitor_walks_through_a_site(site, tab):
    tour, tab = TOURS[site.name], tab(site)
    assert tab.open("/") == (200, tour.first)
    tab.page.get_by_role("link", name=tour.link, exact=True).last.click()
    tab.expect(tour.second)
    assert tab.path.removesuffix("/") == tour.path.removesuffix("/")
    assert tab.reload() == (200, tour.second)
    assert tab.fonts() == ({"loaded"} if tour.has_fonts else set())
    assert tab.open(MISSING) == (200 if site.is_single_page else 404, tour.missing)
    assert tab.faults == []


@pytest.mark.parametrize("site", seen("mkdocs"))
def test_search_of_mkdocs_finds_a_page(site, tab):
    tab = tab(site)
    tab.open("/")
    field = tab.page.locator("input[name=query]")
    field.click()
    field.press_sequentially("mattresses")
    tab.page.locator("a.md-search-result__link", has_text="Sorting").first.click()
    tab.expect("Sorting")
    assert tab.faults == []


@pytest.mark.parametrize("site", seen("sphinx"))
def test_search_of_sphinx_finds_a_page(site, tab):
    tab = tab(site)
    tab.page.goto(f"{tab.url}/search.html?q=mattresses")
    tab.page.locator("ul.search a", has_text="Scales").click()
    tab.expect("Scales")
    assert tab.faults == []


@pytest.mark.parametrize("site", seen("astro", "next"))
def test_script_is_loaded_when_it_is_needed(site, tab):
    tab = tab(site)
    tab.open("/")
    tab.page.get_by_role("button").click()
    tab.page.get_by_text("One ").wait_for()
    assert tab.faults == []


@pytest.mark.parametrize("site", seen("vite"))
def test_service_worker_answers_without_the_network(site, tab):
    tab = tab(site)
    tab.open("/")
    tab.page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    tab.reload()  # this page is the worker's
    assert tab.page.evaluate("navigator.serviceWorker.controller.scriptURL").endswith("/sw.js")
    assert tab.faults == []
    tab.page.context.set_offline(True)
    assert tab.reload() == (200, "Small shop")
