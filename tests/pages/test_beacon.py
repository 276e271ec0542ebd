"""What pages report of a view: once, with the right release, and nothing about who looked."""

import json
import re
import sqlite3
import time
from contextlib import closing

import brotli
import pytest
from django.conf import settings

BEACON = settings.BASE_DIR / "deployments/static/site/beacon.js"
MOST_BYTES = 700


def test_beacon_is_small():
    lines = (line.strip() for line in BEACON.read_text().splitlines())
    code = " ".join(line for line in lines if not line.startswith("//"))
    minified = re.sub(r"\s*([{}()\[\],;:=+\-*<>&|!?])\s*", r"\1", code)
    assert len(brotli.compress(minified.encode())) <= MOST_BYTES


@pytest.fixture(scope="module")
def live(site):
    rows = {row["environment"]: row for row in site.json("status")}
    return rows["production"]["release"]


def leave(page):
    """Leave a page; return what it reports, which a browser shows only before the page is gone."""
    sent = []
    page.on("request", lambda one: sent.append(one) if one.method == "POST" else None)
    page.evaluate("dispatchEvent(new PageTransitionEvent('pagehide'))")
    page.wait_for_timeout(300)
    answers = [one.response() for one in sent]
    headers = [one.all_headers() for one in sent]
    page.evaluate("dispatchEvent(new PageTransitionEvent('pagehide'))")
    page.goto("about:blank")
    assert [answer.status for answer in answers] == [204] * len(sent)
    assert not [one for one in headers if "cookie" in one or one.get("referer")]
    assert {one.url.partition("/api/")[2] for one in sent} <= {"v1/timings/"}
    return sent


@pytest.fixture
def visit(open_page):
    """Return a function that opens a page and leaves it: what it reported, and how."""

    def visit(address, *, do=None, cookies=()):
        page = open_page()
        page.context.add_cookies(cookies)
        page.goto(address)
        page.wait_for_timeout(500)
        if do:
            do(page)
        return leave(page)

    return visit


def in_database(site):
    with closing(sqlite3.connect(site.folder / "var/db.sqlite3")) as database:
        return database.execute(
            "SELECT surface, metric, sum(count) FROM deployments_pagetiming GROUP BY 1, 2"
        ).fetchall()


@pytest.mark.browser
@pytest.mark.parametrize("surface", ["home", "book", "track"])
def test_each_view_is_reported_once(site, visit, live, surface):
    token = site.mark.rpartition("/")[2]
    address = {"home": site.url, "book": f"{site.url}/book/", "track": site.mark}[surface]
    kept = [{"name": "sessionid", "value": "secret", "url": site.url}]
    (sent,) = visit(address, cookies=kept)
    view = json.loads(sent.post_data)
    assert (view["surface"], view["release"]) == (surface, live)
    expected = {"surface", "release", "ttfb", "fcp", "lcp", "cls"}
    assert set(view) == expected | ({"document"} if surface == "track" else set())
    assert 0 < view["ttfb"] <= view["fcp"] <= view["lcp"] < 60_000
    assert token not in sent.post_data


@pytest.mark.browser
def test_page_that_is_left_is_counted(site, open_page):
    page = open_page()
    page.goto(site.mark)
    page.wait_for_timeout(500)
    page.goto("about:blank")
    end = time.monotonic() + 30
    while time.monotonic() < end and not {"track"} & {row[0] for row in in_database(site)}:
        time.sleep(0.5)
    metrics = {metric for surface, metric, _ in in_database(site) if surface == "track"}
    assert {"view", "ttfb", "fcp", "lcp", "cls", "document"} <= metrics


@pytest.mark.browser
def test_release_is_read_from_the_browsers_copy(site, open_page):
    page = open_page()
    network, seen = page.context.new_cdp_session(page), {}
    network.send("Network.enable")
    network.on("Network.requestWillBeSent", lambda one: seen.update({one["requestId"]: one}))
    from_cache = []
    network.on("Network.requestServedFromCache", lambda one: from_cache.append(one["requestId"]))
    network.on(
        "Network.responseReceived",
        lambda one: from_cache.append(one["requestId"]) if one["response"]["fromDiskCache"] else 0,
    )
    page.goto(site.mark)
    page.wait_for_timeout(500)
    asked = [key for key, one in seen.items() if one["request"]["method"] == "HEAD"]
    assert len(asked) == 1
    assert set(asked) <= set(from_cache)


@pytest.mark.browser
def test_errors_are_reported_by_kind(site, visit):
    (sent,) = visit(site.url, do=lambda page: page.evaluate("setTimeout(() => nowhere())"))
    assert json.loads(sent.post_data)["error"] == "script"


@pytest.mark.browser
def test_document_that_fails_is_reported(site, open_page):
    page = open_page()
    page.route("**/track/*.json", lambda route: route.fulfill(status=503))
    page.goto(site.mark)
    page.wait_for_timeout(500)
    (sent,) = leave(page)
    assert json.loads(sent.post_data)["error"] == "document"


@pytest.mark.browser
@pytest.mark.parametrize("path", ["/t/", "/dashboard/", "/nowhere", "/book/request/"])
def test_other_pages_report_nothing(site, visit, path):
    assert visit(site.url + path) == []


@pytest.mark.browser
def test_slow_input_is_reported(site, visit):
    def click(page):
        page.evaluate(
            "document.querySelector('h1').addEventListener('pointerdown', () => {"
            " const end = performance.now() + 120; while (performance.now() < end); })"
        )
        page.click("h1")
        page.wait_for_timeout(300)

    (sent,) = visit(site.url, do=click)
    assert json.loads(sent.post_data)["inp"] >= 100
