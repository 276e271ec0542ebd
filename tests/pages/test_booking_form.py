"""Booking in a real browser: times and prices, the Back button, the keyboard, and outages."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

pytestmark = pytest.mark.browser
ACCESSIBILITY = (Path(__file__).parent / "accessibility.js").read_text()
WHO = {
    "name": "Jo Banner",
    "address_line": "12 Chena Ridge Road",
    "town": "Fairbanks",
    "access_notes": "Gate 4711",
    "details": "An old couch",
}
PHONES = iter(range(100, 1000))


def what(page):
    """Answer what the price depends on: half a truck in Ester, which has a surcharge."""
    page.fill("[name=zip_code]", "99725")
    page.select_option("[name=service]", "junk")
    page.check("[name=load_size][value=half]")


def who(page, **changes):
    values = {**WHO, "phone": f"907 555 {next(PHONES) + 1000}", **changes}
    for name, value in values.items():
        page.fill(f"[name={name}]", value)


def choose(page, index=1):
    """Choose a time once those for the whole answer are shown; return its value."""
    page.wait_for_selector("#offer-price:has-text('all-in')")
    page.wait_for_selector("#times:not([hidden])")
    return page.select_option("[name=first_choice]", index=index)[0]


def send(page):
    page.click(".send button")


def fill_window(site, key):
    """Fill a service window for customers."""
    with closing(sqlite3.connect(site.folder / "var/db.sqlite3")) as other:
        row = "UPDATE dispatch_servicewindow SET taken = public_units WHERE id = ?"
        other.execute(row, [key])
        other.commit()


@pytest.fixture
def static(site, open_page):
    """The static page, with JavaScript."""
    page = open_page()
    page.goto(f"{site.url}/book/")
    return page


@pytest.mark.parametrize("width", [390, 1280])
def test_times_and_price_show_as_the_answers_are_given(site, open_page, width):
    page = open_page(width)
    page.goto(f"{site.url}/book/")
    assert page.is_hidden("#times")
    what(page)
    page.wait_for_selector("text=$360 all-in")
    assert "Includes $20" in page.inner_text("#offer-surcharge")
    page.check("[name=load_size][value=full]")
    page.wait_for_selector("text=$620 all-in")
    time = choose(page)
    assert page.evaluate(ACCESSIBILITY) == []
    who(page)
    send(page)
    page.wait_for_url("**/t/*/")
    assert "Hi Jo. You\u2019re booked." in page.inner_text("#hello")
    assert page.inner_text("#price") == "$620 all-in"
    assert page.inner_text("#window")
    assert page.locator("#calendar").get_attribute("href").endswith("/calendar.ics")
    assert page.evaluate("sessionStorage.length") == 0
    assert time


def test_booking_without_javascript_takes_two_steps(site, open_page):
    page = open_page(java_script_enabled=False)
    page.goto(f"{site.url}/book/")
    what(page)
    page.click("[name=step]")
    assert "$360 all-in" in page.inner_text("#offer-price")
    assert page.locator("#problems").count() == 0
    assert page.is_checked("[name=load_size][value=half]")
    choose(page)
    who(page)
    send(page)
    page.wait_for_url("**/t/*/")
    assert "You\u2019re booked" in page.inner_text("#hello")


def test_all_sent_at_once_without_javascript_asks_for_a_time(site, open_page):
    page = open_page(java_script_enabled=False)
    page.goto(f"{site.url}/book/")
    what(page)
    who(page)
    send(page)
    assert "Choose a time" in page.inner_text("#notice")
    assert page.input_value("[name=access_notes]") == "Gate 4711"
    choose(page)
    send(page)
    page.wait_for_url("**/t/*/")


@pytest.mark.parametrize("scripts", [True, False])
def test_back_returns_to_what_was_typed(site, open_page, scripts):
    page = open_page(java_script_enabled=scripts)
    page.goto(f"{site.url}/book/request/")
    what(page)
    who(page, phone="12", email="a@b")
    page.fill("[name=town]", " ")
    send(page)
    page.wait_for_selector("#problems")
    assert page.locator("#problems li").count() == 3
    if scripts:
        assert page.evaluate("document.activeElement.id") == "problems"
    who(page, email="")
    choose(page)
    send(page)
    page.wait_for_url("**/t/*/")
    page.go_back()
    page.wait_for_selector("#booking")
    assert page.input_value("[name=name]") == "Jo Banner"
    assert page.input_value("[name=details]") == "An old couch"
    page.go_back()
    page.wait_for_selector("#booking")
    assert page.input_value("[name=zip_code]") == "99725"


@pytest.mark.parametrize("scripts", [True, False])
def test_full_window_leaves_everything_else_as_typed(site, open_page, scripts):
    page = open_page(java_script_enabled=scripts)
    page.goto(f"{site.url}/book/" if scripts else f"{site.url}/book/request/")
    what(page)
    if not scripts:
        page.click("[name=step]")
    who(page)
    key = choose(page)
    fill_window(site, key)
    send(page)
    page.wait_for_selector("#problems")
    error = page.inner_text("#id_first_choice_error")
    assert "no longer free" in error
    assert error.count("\u2013") == 2
    assert page.input_value("[name=access_notes]") == "Gate 4711"
    assert page.locator(f"[name=first_choice] option[value='{key}']").count() == 0
    if scripts:
        assert page.evaluate(ACCESSIBILITY) == []
    choose(page)
    send(page)
    page.wait_for_url("**/t/*/")


def tab_to(page, selector):
    for _ in range(30):
        if page.evaluate("(one) => document.activeElement.matches(one)", selector):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"Tab does not lead to {selector}")


def test_booking_by_keyboard_alone(static):
    keys = static.keyboard
    tab_to(static, "[name=zip_code]")
    keys.type("99709")
    tab_to(static, "[name=service]")
    keys.type("Junk")
    tab_to(static, "[name=load_size]")
    for _ in range(3):
        keys.press("ArrowUp")
    static.wait_for_selector("#times:not([hidden])")
    tab_to(static, "[name=first_choice]")
    keys.press("ArrowDown")
    values = {**WHO, "phone": f"907 555 {next(PHONES) + 1000}"}
    for name in ("name", "phone", "address_line", "town"):
        tab_to(static, f"[name={name}]")
        keys.type(values[name])
    tab_to(static, ".send button")
    keys.press("Enter")
    static.wait_for_url("**/t/*/")


def test_dumpsters_are_asked_for_days_instead_of_a_load(static):
    assert static.is_visible("[name=load_size] >> nth=0")
    static.select_option("[name=service]", "dumpster-10")
    assert static.is_hidden("[name=load_size] >> nth=0")
    static.fill("[name=zip_code]", "99709")
    static.wait_for_selector("text=$390 all-in")
    static.fill("[name=rental_days]", "9")
    static.wait_for_selector("text=$420 all-in")


@pytest.mark.parametrize("scripts", [True, False])
def test_outside_the_area_nothing_else_is_asked(site, open_page, scripts):
    page = open_page(java_script_enabled=scripts)
    page.goto(f"{site.url}/book/")
    page.fill("[name=zip_code]", "90210")
    if not scripts:
        page.click("[name=step]")
    page.wait_for_selector("#outside:not([hidden])")
    assert page.is_hidden("[name=service]")
    assert page.is_hidden(".send button")
    assert page.is_visible("#outside >> text=(907) 555-0100")
    if scripts:
        assert page.evaluate(ACCESSIBILITY) == []
    page.fill("[name=area-email]", "ann@example.com")
    page.click("text=Email me when you come here")
    page.wait_for_selector("text=ann@example.com")
    assert "We\u2019ll email you" in page.inner_text("h1")


def test_while_the_application_is_down_the_page_says_so_and_keeps_what_was_typed(static, site):
    page = static
    what(page)
    choose(page)
    who(page)
    page.route("**/healthz", lambda route: route.abort())
    send(page)
    page.wait_for_selector("#down:not([hidden])")
    assert "(907) 555-0100" in page.inner_text("#down")
    assert page.evaluate("document.activeElement.id") == "down"
    assert page.is_enabled(".send button")
    kept = page.evaluate("sessionStorage.getItem('booking')")
    assert "Jo Banner" in kept
    assert "4711" not in kept
    page.goto(f"{site.url}/")
    page.unroute("**/healthz")
    page.goto(f"{site.url}/book/")
    assert page.input_value("[name=name]") == "Jo Banner"
    assert page.input_value("[name=access_notes]") == ""
    assert page.is_checked("[name=load_size][value=half]")
    page.wait_for_selector("#times:not([hidden])")
    assert page.input_value("[name=first_choice]") != ""
    send(page)
    page.wait_for_url("**/t/*/")
    page.goto(f"{site.url}/book/")
    assert page.input_value("[name=name]") == ""


@pytest.mark.parametrize("answer", [{"status": 502}, None])
def test_page_without_times_says_so(static, answer):
    page = static
    page.route(
        "**/api/v1/windows*",
        lambda route: route.fulfill(**answer) if answer else route.abort(),
    )
    what(page)
    page.wait_for_selector("#down:not([hidden])")
    assert page.is_visible("#when #down")
    page.unroute("**/api/v1/windows*")
    page.check("[name=load_size][value=full]")
    choose(page)
    assert page.is_hidden("#down")


def test_job_number_is_explained(site, open_page):
    page = open_page()
    page.goto(site.url)
    page.click("footer >> text=Follow your job")
    page.fill("[name=link]", "QDN-1001")
    page.press("[name=link]", "Enter")
    assert "is a job number" in page.inner_text("main")
    assert page.evaluate(ACCESSIBILITY) == []


@pytest.mark.parametrize(
    ("status", "shown"), [("cancelled", "Book again"), ("completed", "Receipt")]
)
def test_ended_jobs_alike_on_both_pages(site, open_page, status, shown):
    job = site.create_job()
    with closing(sqlite3.connect(site.folder / "var/db.sqlite3")) as other:
        other.execute(
            "UPDATE dispatch_job SET status = ?, cancel_side = ?, revision = revision + 1 "
            "WHERE number = ?",
            [status, "firm" if status == "cancelled" else "", int(job["number"][4:])],
        )
        other.execute("UPDATE tracking_trackinglink SET due_revision = due_revision + 1")
        other.commit()
    site.publish()
    texts = []
    for path in (f"/track/{job['token']}", f"/t/{job['token']}/"):
        page = open_page()
        page.goto(site.url + path)
        page.wait_for_selector(f'#status[data-status="{status}"]')
        texts.append([page.inner_text(one) for one in ("#hello", "#next", "#road", ".ticket")])
        assert page.is_visible(f"text={shown}")
        assert page.is_visible("text=Book again")
        assert page.is_visible("#price-row") == (status == "completed")
        assert page.is_hidden("#next-title")
        assert page.locator("#road .done").count() >= (status == "completed")
        assert page.is_hidden("#calendar")
        assert page.evaluate(ACCESSIBILITY) == []
    assert texts[0] == texts[1]
