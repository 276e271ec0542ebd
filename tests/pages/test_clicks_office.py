"""The office's daily tasks in a real browser, and how many clicks each takes."""

from datetime import timedelta
from itertools import count
from pathlib import Path

import pytest
from django.utils import timezone

from qdn.demonstration import LOGIN, PASSWORD

pytestmark = pytest.mark.browser
ACCESSIBILITY = (Path(__file__).parent / "accessibility.js").read_text()
# Counted where a pointer goes down: keys press buttons without one. Pages come and go meanwhile.
COUNT_CLICKS = """addEventListener('pointerdown', () => {
  sessionStorage.clicks = 1 + Number(sessionStorage.clicks || 0);
}, true)"""
# The theme's own parts are not ours to judge: the panel becomes the page.
ONLY_OURS = """() => {
  const main = document.createElement('main');
  main.append(Object.assign(document.createElement('h1'), { textContent: document.title }));
  main.append(document.querySelector('.job-panel'), ...document.querySelectorAll('body style'));
  document.body.replaceChildren(main);
}"""
WIDTHS = [1280, 390]
PHONES = (f"907-555-{number:04}" for number in count(300))
ADD = "/admin/dispatch/job/add/"


@pytest.fixture(scope="module")
def session(site, browser):
    """What a browser keeps of a login."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{site.url}/admin/login/?next=/admin/password_change/")
    page.fill("[name=username]", LOGIN)
    page.fill("[name=password]", PASSWORD)
    page.press("[name=password]", "Enter")
    page.wait_for_url("**/password_change/")
    yield context.storage_state()
    context.close()


@pytest.fixture
def office(site, session, open_page):
    """Give a function that opens a page of the office; on a phone its `click` is a tap."""

    def office(path, width=1280, **options):
        page = open_page(width=width, storage_state=session, has_touch=width < 600, **options)
        page.add_init_script(COUNT_CLICKS)
        page.goto(site.url + path)
        return page

    return office


def press(page, selector):
    """Click, or on a phone tap."""
    target = page.locator(selector).first
    if page.viewport_size["width"] < 600:
        target.tap()
    else:
        target.click()


def clicks(page):
    return int(page.evaluate("sessionStorage.clicks || 0"))


@pytest.fixture
def job(site):
    """A job of today that has all it needs for the way."""
    window = f"{timezone.localdate()} 12am-11:59pm"
    details = {"window": window, "crew": "Birch", "price": "600 all-in", "status": "scheduled"}
    return site.create_job(phone=next(PHONES), **details)


def open_job(office, job, width, **options):
    page = office(f"/admin/dispatch/job/?q={job['number']}", width, **options)
    address = page.locator(f"#result_list a:has-text('{job['number']}')").first
    page.goto(page.url.split("/admin/")[0] + address.get_attribute("href").split("?")[0])
    page.evaluate("sessionStorage.clicks = 0")
    return page


def status(page):
    return page.locator(".job-panel .job-line").first.inner_text()


@pytest.mark.parametrize("width", WIDTHS)
def test_known_customer_is_booked_with_window_and_crew_in_four_clicks(office, width):
    page = office(ADD, width)
    page.wait_for_function("document.activeElement.name === 'phone'")
    page.keyboard.type("907-555-0142")
    press(page, ".job-known button")
    page.wait_for_function("document.querySelector('[name=address_line]').value !== ''")
    press(page, "[data-windows] label:has-text('left')")
    press(page, ".job-chip:has-text('Birch')")
    press(page, ".job-book button")
    page.wait_for_url("**/change/")
    assert "SCHEDULED" in status(page).upper()
    assert "Birch" in page.inner_text(".job-panel")
    assert clicks(page) == 4
    assert page.said == []


def test_known_customer_is_booked_by_keys_alone(office):
    page = office(ADD)
    page.wait_for_function("document.activeElement.name === 'phone'")
    page.keyboard.type("9075550142")
    page.wait_for_selector(".job-known button")
    with page.expect_response("**/offer/*"):
        page.keyboard.press("Enter")
    for name in ("free_window", "crew"):
        while page.evaluate("document.activeElement.name") != name:
            page.keyboard.press("Tab")
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url("**/change/")
    assert "SCHEDULED" in status(page).upper()
    assert clicks(page) == 0


def test_price_and_windows_follow_what_is_entered(office):
    page = office(ADD)
    page.select_option("[name=load_size]", "eighth")
    page.wait_for_function("document.querySelector('[data-price]').textContent.includes('all-in')")
    first = page.inner_text("[data-price]")
    press(page, "[data-windows] label:has-text('(16 left)')")
    page.select_option("[name=load_size]", "full")
    page.wait_for_function(f"document.querySelector('[data-price]').textContent !== '{first}'")
    assert page.locator("[name=free_window]:checked").get_attribute("value") != ""
    page.fill("[name=zip_code]", "90210")
    page.wait_for_selector("text=90210 is outside the service area.")
    page.fill("[name=phone]", "212-555-9999")
    page.wait_for_selector("text=No customer has this phone yet.")


def test_booking_without_javascript(office):
    page = office(ADD, java_script_enabled=False)
    page.fill("[name=phone]", "907-555-0142")
    page.click("text=Find customer")
    assert page.input_value("[name=address_line]") == "1423 Soderblom Avenue"
    page.select_option("[name=load_size]", "half")
    page.click("text=Show price and windows")
    assert "all-in" in page.inner_text("[data-price]")
    page.check("[data-windows] label:has-text('left') input")
    page.click(".job-book button")
    assert "SCHEDULED" in status(page).upper()


@pytest.mark.parametrize("width", WIDTHS)
def test_crew_is_on_the_way_in_one_click_and_back_in_two(office, job, width):
    page = open_job(office, job, width)
    press(page, "button:has-text('Crew on the way')")
    page.wait_for_selector(".job-panel >> text=Crew on the way")
    assert clicks(page) == 1
    press(page, "summary:has-text('Step back')")
    press(page, "[name=back_reason]")
    page.keyboard.type("Pressed too early")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=is back at")
    assert "READY FOR PICKUP" in status(page).upper()
    assert clicks(page) == 3


@pytest.mark.parametrize("width", WIDTHS)
def test_job_is_cancelled_in_three_clicks(office, job, width):
    page = open_job(office, job, width)
    press(page, "button:has-text('Cancel job')")
    press(page, "label:has-text('Customer')")
    page.keyboard.press("Tab")
    page.keyboard.type("Sold the couch")
    press(page, "button:has-text('Cancel 1 job')")
    page.wait_for_selector(".job-panel")
    assert "CANCELLED" in status(page).upper()
    assert clicks(page) == 3


@pytest.mark.parametrize("width", WIDTHS)
def test_wrong_phone_is_corrected_in_three_clicks(office, job, width):
    phone = next(PHONES)
    page = open_job(office, job, width)
    here = page.url
    press(page, ".job-panel a[href*='/customer/']")
    press(page, "[name=phone]")
    page.keyboard.press("Control+a")
    page.keyboard.type(phone)
    with page.expect_navigation():
        press(page, "#submit-row [name=_save]")
    assert clicks(page) == 3
    page.goto(here)
    assert phone[-4:] in page.inner_text(".job-panel a[href^='tel:']")


def test_typed_window_is_saved_by_the_button_that_moves(site, office):
    job = site.create_job(phone=next(PHONES))
    page = open_job(office, job, 390)
    day = timezone.localdate() + timedelta(days=3)
    page.fill("[name=window_start_0]", day.isoformat())
    page.fill("[name=window_start_1]", "9am")
    page.fill("[name=window_end_1]", "11")
    press(page, "button:has-text('Scheduled')")
    page.wait_for_selector("text=Moved to")
    assert "SCHEDULED" in status(page).upper()
    assert "9 a.m. to 11 a.m." in page.inner_text(".job-panel")
    assert page.input_value("[name=window_start_1]") == "9:00 AM"


ESSENTIALS = [
    "#job-title",
    "a[href*='/customer/']",
    "a[href^='tel:']",
    "a[href^='sms:']",
    "a:has-text('Map')",
    "strong",
    ".job-price",
    "button:has-text('Crew on the way')",
    "button:has-text('Ready for pickup')",
]


@pytest.mark.parametrize("width", WIDTHS)
def test_pages_are_readable_and_begin_with_what_is_needed(site, office, job, width):
    page = open_job(office, job, width, timezone_id="Asia/Tokyo")
    for selector in ESSENTIALS:
        box = page.locator(f".job-panel {selector}").first.bounding_box()
        assert box["y"] + box["height"] <= 600, selector
    assert page.locator(".timezonewarning:visible").count() == 0
    for path in ("", ADD):
        if path:
            page.goto(site.url + path)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        page.evaluate(ONLY_OURS)
        assert page.evaluate(ACCESSIBILITY) == []
