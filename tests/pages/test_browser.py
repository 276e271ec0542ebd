"""The pages in a real browser, from the server and the edge of bin/demo."""

import json
import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.utils import timezone

from tracking.wording import window_text

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
    return page.evaluate("document.documentElement.scrollWidth > innerWidth")


def fill_in(page, **kwargs):
    page.select_option("[name=service]", "junk")
    for name, value in {**BOOKING, **kwargs}.items():
        page.fill(f"[name={name}]", value)


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
    assert len(page.asked) == 3  # the page, its script, the document
    assert all(address.startswith(site.url) for address in page.asked)


@pytest.mark.parametrize("path", ["/", "/book/", "/dashboard/", "/t/", "/book/request/", "/t/x/",
                                  "/track/x", "/nowhere", "/track-staging/x"])  # fmt: skip
@pytest.mark.parametrize("width", [390, 1280])
def test_no_page_scrolls_sideways(site, open_page, path, width):
    page = open_page(width)
    page.goto(site.url + path)
    page.wait_for_timeout(200)
    assert not scrolls_sideways(page)
    assert not [line for line in page.said if "Failed to load resource" not in line]


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_number_to_call_stays_in_one_line(site, open_page, width):
    page = open_page(width)
    page.goto(site.url)
    lines = page.locator(".top .call").evaluate(
        "link => { const text = document.createRange(); text.selectNode(link.lastChild);"
        " return text.getClientRects().length }"
    )
    assert lines == 1
    assert not scrolls_sideways(page)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", ["/", "/book/", "/dashboard/", "/t/", "/t/x/", "/nowhere"])
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
    job = site.create_job(status="ready_for_pickup")
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
    for part in ["#hello", "#status", "#window", "#next", "#road", "#number", "#area", "#price",
                 "#crew", "#service", "#updated"]:  # fmt: skip
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
    assert page.inner_text("#window") == window_text(window, timezone.now())


def test_page_of_an_unknown_link(site, open_page):
    page = open_page()
    page.clock.install()
    page.goto(f"{site.url}/track/never.was")
    for _ in range(2):
        page.wait_for_timeout(200)
        page.clock.fast_forward("00:02")
    page.wait_for_selector("text=This link is not active")
    assert page.is_visible("text=Call (907) 555-0100")
    assert page.is_hidden("#found")


def test_track_page_without_javascript_leads_to_its_twin(site, open_page):
    page = open_page(java_script_enabled=False)
    page.goto(site.mark)
    page.fill("[name=link]", site.mark)
    page.click("form.paste button")
    assert "/t/" in page.url
    assert "Ready for pickup" in page.inner_text("#status")


@pytest.mark.parametrize("scripts", [True, False])
def test_booking(site, open_page, scripts):
    page = open_page(java_script_enabled=scripts)
    page.goto(site.url + "/book/")
    fill_in(page)
    page.click("text=Send my request")
    if not scripts:  # the static page has no key to send
        assert "Check your details, then press Send again" in page.inner_text("main")
        assert page.input_value("[name=name]") == "Jo Banner"
        page.click("text=Send my request")
    page.wait_for_url("**/t/*/")
    assert "Hi Jo" in page.inner_text("#hello")
    assert page.inner_text("#status") == "Requested"
    assert page.inner_text("a.link").startswith(f"{site.url}/track/")


def test_board_asks_to_sign_in_and_then_shows_jobs(site, open_page):
    page = open_page(1280)
    page.goto(site.url + "/dashboard/")
    page.click("#login-link")
    page.fill("[name=username]", "demo")
    page.fill("[name=password]", "hauls-junk-all-day")
    page.press("[name=password]", "Enter")
    page.wait_for_url("**/dashboard/")
    page.wait_for_selector(".column")
    # Hers is today at any hour; in the evening Mark's window is tomorrow.
    assert page.locator(".job", has_text="Ruth Lindqvist").inner_text().count("QDN-") == 1
    assert not scrolls_sideways(page)
    assert page.evaluate(ACCESSIBILITY) == []
