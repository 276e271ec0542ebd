"""The admin's front page and the views above the job list, in a real browser."""

from pathlib import Path

import pytest

from qdn.demonstration import LOGIN, PASSWORD

pytestmark = pytest.mark.browser
ACCESSIBILITY, LAYOUT = (
    (Path(__file__).parent / f"{name}.js").read_text() for name in ("accessibility", "layout")
)
# What is ours of the page: the rest is the theme's.
OURS = "selector => document.body.replaceChildren(document.querySelector(selector))"
# The script does not read the theme's colours, and the theme has the heading of level 1.
NOT_OURS = ("contrast", "0 headings", "heading skips", "no main")

AGED = """
from datetime import timedelta
from django.db.models import F
Job.objects.filter(status="requested").update(created_at=F("created_at") - timedelta(days=1))
"""


@pytest.fixture
def open_admin(site, open_page):
    """Give a function that opens a page of the admin, logged in."""

    def open_admin(path, width=1280, **kwargs):
        page = open_page(width, **kwargs)
        page.goto(f"{site.url}/admin/login/?next={path}")
        page.fill("[name=username]", LOGIN)
        page.fill("[name=password]", PASSWORD)
        page.press("[name=password]", "Enter")
        page.wait_for_selector("#main")
        if page.url != site.url + path:
            page.goto(site.url + path)
        return page

    return open_admin


@pytest.fixture(scope="module")
def requests(site):
    """The numbers of two requests that have waited for an answer since yesterday."""
    jobs = [site.create_job(phone=f"907-555-016{number}")["number"] for number in range(2)]
    done = site.manage("shell", "-c", AGED)
    assert done.returncode == 0, done.stderr
    return jobs


def faults(page, selector):
    page.wait_for_load_state("networkidle")
    page.evaluate(OURS, selector)
    found = [*page.evaluate(ACCESSIBILITY), *page.evaluate(LAYOUT)]
    return [fault for fault in found if not fault.startswith(NOT_OURS)]


@pytest.mark.parametrize("width", [390, 1280])
def test_front_page_is_in_order(open_admin, width):
    page = open_admin("/admin/", width)
    page.wait_for_selector("text=Needs you")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.get_attribute("link[rel=icon]", "href")  # without one, browsers ask for one
    assert faults(page, "main.front") == []
    assert page.said == []


def test_front_page_fits_a_screen(open_admin):
    page = open_admin("/admin/")
    page.set_viewport_size({"width": 1280, "height": 900})
    heights = page.locator("main.front section").evaluate_all(
        "parts => parts.map(part => part.getBoundingClientRect().bottom)"
    )
    assert len(heights) == 6
    assert max(heights) <= 900


@pytest.mark.parametrize("script", [True, False])
def test_need_is_snoozed(open_admin, requests, script):
    page = open_admin("/admin/", java_script_enabled=script)
    group = page.locator("[data-rule=unanswered]")
    if not group.locator("ul").is_visible():
        group.locator("summary").first.click()
    snoozing = group.locator("li").first
    job = snoozing.locator("a.dep-strong").inner_text()
    snoozing.locator(".front-snooze summary").click()
    snoozing.locator("[name=reason]").fill("Calls back")
    snoozing.locator("form button").click()
    page.wait_for_selector(f"text=Snoozed {job} for 1 hour.")
    assert page.locator("[data-rule=unanswered] li", has_text=job).count() == 0
    snoozed = page.locator(".front-snoozed li", has_text=job)
    assert snoozed.count() == 1
    page.click(".front-snoozed summary")
    snoozed.get_by_text("Show again").click()
    page.wait_for_selector(f"text={job} is no longer snoozed.")
    assert page.locator(".front-snoozed").count() == 0


@pytest.mark.parametrize("width", [390, 1280])
def test_view_is_saved_renamed_and_deleted(open_admin, width):
    page = open_admin("/admin/dispatch/job/?work=no-price", width)
    page.click("text=Save this view")
    page.fill(".views [name=name]", f"To price {width}")
    page.click(".views button >> text=Save")
    page.wait_for_selector(f".views a[aria-current] >> text=To price {width}")
    page.click("text=Change this view")
    page.fill(".views [name=name]", f"No price {width}")
    page.click(".views button >> text=Rename")
    page.wait_for_selector(f".views a[aria-current] >> text=No price {width}")
    page.click("text=Change this view")
    page.click(".views button >> text=Delete")
    page.wait_for_selector("text=Save this view")
    assert page.locator(".views a", has_text=f"{width}").count() == 0
    # On a phone the views are a strip that scrolls by itself.
    scrolling = () if width > 390 else ("outside: a", "wider than its box: a")
    assert [fault for fault in faults(page, ".views") if not fault.startswith(scrolling)] == []
