"""The pages in a real browser, from the server and the edge of bin/demo."""

import json
import re
import sqlite3
import urllib.request
from contextlib import closing
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from django.template.loader import render_to_string
from django.utils import timezone

from dispatch.times import interval_text

pytestmark = pytest.mark.browser
ACCESSIBILITY = (Path(__file__).parent / "accessibility.js").read_text()
BOOKING = {
    "zip_code": "99709",
    "details": "Old couch",
    "address_line": "12 Chena Ridge Road",
    "town": "Fairbanks",
    "name": "Jo Banner",
    "phone": "907 555 0171",
}


def scrolls_sideways(page):
    page.wait_for_load_state()  # with its styles
    return page.evaluate("document.documentElement.scrollWidth > innerWidth")


def fill_in(page, *, scripts=True, **kwargs):
    page.select_option("[name=service]", "junk")
    for name, value in {**BOOKING, **kwargs}.items():
        page.fill(f"[name={name}]", value)
    if scripts:
        choose_time(page)


def choose_time(page):
    page.wait_for_selector("#times:not([hidden])")
    page.select_option("[name=first_choice]", index=1)


def wait_for_status(page, status):
    page.wait_for_selector(f'#status[data-status="{status}"]')


@pytest.mark.parametrize("width", [390, 1280])
def test_page_of_marks_job(site, open_page, width):
    page = open_page(width)
    page.goto(site.mark)
    wait_for_status(page, "ready_for_pickup")
    text = page.inner_text("main")
    for shown in ["Hi Mark", "Ready for pickup", "$600 all-in", "Soderblom Avenue, Fairbanks"]:
        assert shown in text
    assert re.search(r"(Today|Tomorrow), [\d: APM]+ \u2013 \d+:00 [AP]M", text)
    assert "running late" not in text
    assert page.locator("#road li").count() == 6
    assert page.locator("#road [aria-current=step]").inner_text().startswith("Ready for pickup")
    assert not scrolls_sideways(page)
    page.wait_for_timeout(300)
    assert page.said == []
    # The page, its script, the document, and the release, which the browser's copy of the page has.
    assert len(page.asked) == 4
    assert all(address.startswith(site.url) for address in page.asked)


@pytest.mark.parametrize("path", ["/", "/book/", "/dashboard/", "/t/", "/book/request/", "/t/x/",
                                  "/track/x", "/nowhere", "/track-staging/x", "/es/",
                                  "/es/book/"])  # fmt: skip
@pytest.mark.parametrize("width", [390, 1280])
def test_no_page_scrolls_sideways(site, open_page, path, width):
    page = open_page(width)
    page.goto(site.url + path)
    page.wait_for_timeout(200)
    assert not scrolls_sideways(page)
    assert not [line for line in page.said if "Failed to load resource" not in line]


@pytest.mark.parametrize("width", [320, 390, 1280])
@pytest.mark.parametrize("path", ["/", "/es/"])
def test_number_to_call_stays_in_one_line(site, open_page, path, width):
    page = open_page(width)
    page.goto(site.url + path)
    lines = page.locator(".top .call").evaluate(
        "link => { const text = document.createRange(); text.selectNode(link.lastChild);"
        " return text.getClientRects().length }"
    )
    assert lines == 1
    assert not scrolls_sideways(page)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", ["/", "/book/", "/dashboard/", "/t/", "/t/x/", "/nowhere", "/es/",
                                  "/es/book/", "/t/?lang=es"])  # fmt: skip
def test_pages_are_accessible(site, open_page, path, scheme):
    page = open_page(color_scheme=scheme, reduced_motion="reduce")
    page.goto(site.url + path)
    page.wait_for_timeout(200)
    assert page.evaluate(ACCESSIBILITY) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_job_page_is_accessible(site, open_page, scheme):
    page = open_page(color_scheme=scheme, reduced_motion="reduce")
    page.goto(site.mark)
    wait_for_status(page, "ready_for_pickup")
    assert page.evaluate(ACCESSIBILITY) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_form_with_errors_is_accessible(site, open_page, scheme):
    page = open_page(color_scheme=scheme)
    page.goto(site.url + "/book/")
    fill_in(page, phone="12")
    page.click("text=Send my request")
    page.wait_for_selector("#problems")
    assert page.evaluate(ACCESSIBILITY) == []
    assert page.evaluate("document.activeElement.id") == "problems"
    page.click("#problems a")
    assert page.evaluate("document.activeElement.name") == "phone"


def test_page_follows_the_job(site, open_page):
    window = f"{timezone.localdate()} 12am-11:59pm"
    job = site.create_job(status="ready_for_pickup", window=window, crew="Birch", price="600")
    page = open_page()
    page.clock.install()
    page.goto(f"{site.url}/track/{job['token']}")
    wait_for_status(page, "ready_for_pickup")
    site.move(job, "en_route")
    page.clock.fast_forward("05:01")
    wait_for_status(page, "en_route")
    site.move(job, "in_progress")
    page.clock.fast_forward("00:21")
    wait_for_status(page, "in_progress")
    site.move(job, "completed")
    page.clock.fast_forward("00:21")
    wait_for_status(page, "completed")
    asked = len(page.asked)
    page.clock.fast_forward("02:00:00")
    page.wait_for_timeout(300)
    assert len(page.asked) == asked
    assert page.said == []


def test_page_reloads_without_a_connection(site, open_page):
    page = open_page()
    page.goto(site.mark)
    wait_for_status(page, "ready_for_pickup")
    page.evaluate("navigator.serviceWorker.ready.then((ready) => ready.active.scriptURL)")
    page.wait_for_function(
        "caches.match(new URL('/track/', location)).then((kept) => Boolean(kept))"
    )
    page.context.set_offline(True)
    page.reload()
    wait_for_status(page, "ready_for_pickup")
    assert "Hi Mark" in page.inner_text("main")
    page.wait_for_selector("#stale:not([hidden])")
    assert "Showing the status as of" in page.inner_text("#stale")


def test_page_kept_for_a_reload_names_no_link(site, open_page):
    page = open_page()
    page.goto(site.mark)
    wait_for_status(page, "ready_for_pickup")
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    page.wait_for_function(
        "caches.match(new URL('/track/', location)).then((kept) => Boolean(kept))"
    )
    page.reload()
    wait_for_status(page, "ready_for_pickup")
    kept = page.evaluate(
        """async () => {
          const found = [];
          for (const name of await caches.keys()) {
            const cache = await caches.open(name);
            for (const key of await cache.keys())
              found.push(key.url + await (await cache.match(key)).text());
          }
          return found;
        }"""
    )
    assert len(kept) == 1
    assert site.mark.rpartition("/")[2] not in kept[0]
    assert "Mark" not in kept[0]


def write_next_site(site, folder):
    """Write the live release's files into a folder, with a mark on every page."""
    for row in json.loads(site.read("/manifest.json")):
        with urllib.request.urlopen(f"{site.url}/{row['path']}") as answer:
            content = answer.read()
        path = folder / row["path"]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.replace(b"</body>", b"<p id='newer'>Newer</p></body>"))


def test_open_page_survives_a_switch_and_a_rollback(site, open_page, tmp_path):
    window = f"{timezone.localdate()} 12am-11:59pm"
    job = site.create_job(status="ready_for_pickup", window=window, crew="Birch", price="600")
    first = next(
        one["release"] for one in site.json("status") if one["environment"] == "production"
    )
    page = open_page()
    page.clock.install()
    page.goto(f"{site.url}/track/{job['token']}")
    wait_for_status(page, "ready_for_pickup")
    write_next_site(site, tmp_path)
    site.json("push", "--source", str(tmp_path), "--message", "Next")
    site.json("promote", "--yes", "--no-tracking-check")
    site.wait_for("/track/x", "id='newer'")
    site.move(job, "en_route")
    page.clock.fast_forward("05:01")
    wait_for_status(page, "en_route")
    assert page.locator("#newer").count() == 0  # the page is still that of the release before
    page.reload()
    wait_for_status(page, "en_route")
    assert page.locator("#newer").count() == 1
    site.json("rollback", first, "--yes")
    site.move(job, "in_progress")
    page.clock.fast_forward("00:21")
    wait_for_status(page, "in_progress")
    page.reload()
    wait_for_status(page, "in_progress")
    assert page.locator("#newer").count() == 0
    assert page.said == []


def test_page_without_connection_shows_what_it_knew(site, open_page):
    page = open_page()
    page.clock.install()
    page.goto(site.mark)
    wait_for_status(page, "ready_for_pickup")
    page.context.set_offline(True)
    page.clock.fast_forward("05:01")
    page.wait_for_selector("#stale:not([hidden])")
    assert "Showing the status as of" in page.inner_text("#stale")
    assert "Ready for pickup" in page.inner_text("#status")
    page.context.set_offline(False)
    page.clock.fast_forward("00:11")
    page.wait_for_selector("#stale", state="hidden")


def test_both_pages_of_a_job_say_the_same(site, open_page):
    static, plain = open_page(), open_page(java_script_enabled=False)
    static.goto(site.mark)
    wait_for_status(static, "ready_for_pickup")
    plain.goto(site.mark.replace("/track/", "/t/"))
    for part in ["#hello", "#when", "#status", "#window", "#next", "#road", "#number", "#area",
                 "#price", "#crew", "#service", "#updated"]:  # fmt: skip
        assert static.inner_text(part) == plain.inner_text(part)
    assert static.is_hidden("#late") == plain.is_hidden("#late")


@pytest.mark.parametrize("end", ["2027-03-13T20:00:00Z", "2027-03-15T17:00:00Z"])
def test_both_pages_say_windows_alike(site, open_page, end):
    page = open_page()
    window = {"start": "2027-03-13T18:00:00Z", "end": end}  # clocks go forward on the 14th
    document = json.loads(site.read(f"{urlsplit(site.mark).path}.json")) | {"window": window}
    page.route("**/track/*.json", lambda route: route.fulfill(json=document))
    page.goto(site.mark)
    wait_for_status(page, "ready_for_pickup")
    start, end = (datetime.fromisoformat(window[name]) for name in ("start", "end"))
    assert page.inner_text("#window") == interval_text(start, end, timezone.now())


def test_page_of_a_held_job_says_so_and_is_not_late(site, open_page):
    page = open_page()
    over = {"start": "2026-01-13T18:00:00Z", "end": "2026-01-13T20:00:00Z"}
    held = {"window": over, "on_hold": True}
    document = json.loads(site.read(f"{urlsplit(site.mark).path}.json")) | held
    page.route("**/track/*.json", lambda route: route.fulfill(json=document))
    page.goto(site.mark)
    wait_for_status(page, "ready_for_pickup")
    assert page.inner_text("#when") == "On hold until we agree on a time"
    assert page.inner_text("#window") == ""
    assert page.is_hidden("#late")


def test_page_of_an_unknown_link_says_so_at_once_and_looks_again(site, open_page):
    page = open_page()
    page.clock.install()
    page.goto(f"{site.url}/track/never.was")
    page.wait_for_selector("text=This link is not active")
    assert page.title() == "This link is not active"
    assert page.is_visible("text=Call (907) 555-0100")
    assert page.is_visible("text=Just booked?")
    assert page.is_hidden("#found")
    for _ in range(3):
        page.clock.fast_forward("00:03")
        page.wait_for_timeout(200)
    assert len([address for address in page.asked if address.endswith(".json")]) >= 3
    assert page.is_hidden("text=Just booked?")


def test_track_page_without_javascript_leads_to_its_twin_in_one_tap(site, open_page):
    page = open_page(java_script_enabled=False)
    page.goto(site.mark)
    assert page.is_hidden("#found")
    page.click("noscript a.button")
    assert page.url == site.mark.replace("/track/", "/t/") + "/"
    assert "Ready for pickup" in page.inner_text("#status")


@pytest.mark.parametrize("scripts", [True, False])
def test_booking(site, open_page, scripts):
    page = open_page(java_script_enabled=scripts)
    page.goto(site.url + "/book/")
    fill_in(page, scripts=scripts)
    page.click("text=Send my request")
    if not scripts:  # the static page has no key to send, and no times
        assert "Choose a time" in page.inner_text("#notice")
        assert page.input_value("[name=name]") == "Jo Banner"
        choose_time(page)
        page.click("text=Send my request")
    page.wait_for_url("**/t/*/")
    assert "Hi Jo" in page.inner_text("#hello")
    assert page.inner_text("#status") == "Scheduled"
    assert page.inner_text("a.link").startswith(f"{site.url}/track/")


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("name", ["500", "503", "office_400", "office_500", "office_503"])
def test_pages_of_failures_are_accessible(open_page, name, width):
    page = open_page(width)
    context = {"path": "/admin/", "most_words": 30}
    page.set_content(render_to_string(f"failures/{name}.html", context))
    assert page.evaluate(ACCESSIBILITY) == []
    assert not scrolls_sideways(page)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_booking_while_the_database_is_locked(site, open_page, scheme):
    page = open_page(color_scheme=scheme)
    page.goto(site.url + "/book/")
    fill_in(page, phone="907 555 0172", name=f"Al {scheme}", details="a <couch> & a lamp")
    with closing(sqlite3.connect(site.folder / "var/db.sqlite3")) as other:
        other.execute("BEGIN IMMEDIATE")
        page.click("text=Send my request")
        page.wait_for_selector("#notice", timeout=15_000)  # a command would wait 20 s
    assert "nothing was booked" in page.inner_text("#notice")
    assert page.evaluate("document.activeElement.id") == "notice"
    assert page.input_value("[name=details]") == "a <couch> & a lamp"
    assert page.evaluate(ACCESSIBILITY) == []
    assert not scrolls_sideways(page)
    page.click("text=Send my request")
    page.wait_for_url("**/t/*/")
    page.go_back()
    page.click("text=Send my request")
    page.wait_for_url("**/t/*/")
    with closing(sqlite3.connect(site.folder / "var/db.sqlite3")) as other:
        (jobs,) = other.execute(
            "SELECT count(*) FROM dispatch_job WHERE contact_name = ?", [f"Al {scheme}"]
        ).fetchone()
    assert jobs == 1


def test_too_many_bookings_keep_the_input(site, open_page):
    page = open_page()
    phone = "907 555 0180"
    for _ in range(5):
        form = {**BOOKING, "service": "junk", "phone": phone, "form_key": str(uuid4())}
        page.request.post(f"{site.url}/book/request/", form=form)
    page.goto(site.url + "/book/")
    fill_in(page, phone=phone)
    page.click("text=Send my request")
    page.wait_for_selector("#notice")
    assert "Or call (907) 555-0100" in page.inner_text("#notice")
    assert page.input_value("[name=phone]") == phone
    assert page.evaluate(ACCESSIBILITY) == []
    assert not scrolls_sideways(page)


def test_board_asks_to_sign_in_and_then_shows_jobs(site, open_page):
    page = open_page(1280)
    page.goto(site.url + "/dashboard/")
    page.click("#login-link")
    page.fill("[name=username]", "demo")
    page.fill("[name=password]", "hauls-junk-all-day")
    page.press("[name=password]", "Enter")
    page.wait_for_url("**/dashboard/")
    page.wait_for_selector(".column")
    # He is on it at any hour; in the evening the next window is tomorrow.
    assert page.locator(".card", has_text="Sam Titus").inner_text().count("QDN-") == 1
    assert "Out 0 days" in page.locator(".card", has_text="Alvin Huntington").inner_text()
    assert not scrolls_sideways(page)
    assert page.evaluate(ACCESSIBILITY) == []
