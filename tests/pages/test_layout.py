"""Nothing overlaps or is cut off: on narrow and wide screens, and at twice the size."""

from pathlib import Path

import pytest

pytestmark = pytest.mark.browser
LAYOUT = (Path(__file__).parent / "layout.js").read_text()
# A window of 1280 pixels at 200 % has 640.
WIDTHS = [320, 390, 640, 1280, 1920]
# The office's board has a page of its own width.
WIDEST = 72 * 16


def wrong_on(page, path):
    page.goto(path)
    page.wait_for_timeout(250)
    return page.evaluate(LAYOUT)


@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_overlaps_or_is_cut_off(site, open_page, width):
    page = open_page(width, reduced_motion="reduce")
    pages = ["/", "/book/", "/t/", "/t/x/", "/t/?link=QDN-1001", "/book/request/area/", "/nowhere"]
    pages += ["/es/", "/es/book/", "/t/?lang=es&link=QDN-1001", "/book/request/area/?lang=es"]
    for path in [
        *(site.url + path for path in pages),
        site.mark,
        site.mark.replace("/track/", "/t/"),
    ]:
        assert wrong_on(page, path) == [], path
        wraps = "[...document.querySelectorAll('.wrap')].map((one) => one.clientWidth)"
        assert max(page.evaluate(wraps), default=0) <= WIDEST


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("width", WIDTHS)
def test_form_with_times_and_errors(site, open_page, width, language):
    page = open_page(width, java_script_enabled=False)
    page.goto(f"{site.url}/book/request/?lang={language}")
    typed = {"zip_code": "99725", "phone": "12", "email": "x@y", "name": "W" * 120, "town": " "}
    for name, value in {**typed, "address_line": "12 Chena Ridge Road"}.items():
        page.fill(f"[name={name}]", value)
    page.select_option("[name=service]", "junk")
    page.click(".send button")
    assert page.locator("#problems li").count() == 3
    page.wait_for_load_state()  # with its styles
    assert page.evaluate(LAYOUT) == []


FAULTS = {
    "overlap": "document.querySelector('h1').style.marginBottom = '-3rem'",
    "scrolls sideways": "document.querySelector('h1').style.width = '3000px'",
    "cut off": "document.querySelector('.lead').style = "
    "'overflow: hidden; width: 4rem; white-space: nowrap'",
}


@pytest.mark.parametrize("fault", FAULTS)
def test_faults_are_found(site, open_page, fault):
    page = open_page(1280)
    page.goto(f"{site.url}/book/")
    page.evaluate(FAULTS[fault])
    assert fault in " ".join(page.evaluate(LAYOUT))


def test_paired_inputs_are_in_line_and_the_price_is_beside_the_form(site, open_page):
    page = open_page(1280)
    page.goto(f"{site.url}/book/")
    phone, email = (page.locator(f"[name={name}]").bounding_box() for name in ("phone", "email"))
    assert (phone["y"], phone["height"]) == (email["y"], email["height"])
    form, price = (page.locator(one).bounding_box() for one in (".ask", ".offer"))
    assert price["x"] > form["x"] + form["width"]
    assert price["x"] + price["width"] > 1100
