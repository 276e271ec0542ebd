"""Customers change their job in a real browser, without JavaScript and by keyboard."""

from datetime import timedelta

import pytest
from django.utils import timezone

from tests.pages.test_browser import ACCESSIBILITY, scrolls_sideways
from tests.pages.test_job_states import LAYOUT
from tests.photo_files import jpeg

pytestmark = pytest.mark.browser
DIGITS = "0155"
PAGES = ("move", "cancel", "photos", "gate")


@pytest.fixture(scope="module")
def make_job(site):
    """Return a function that makes a scheduled job, and gives its number and its page's address."""

    def make_job():
        day = timezone.localdate() + timedelta(days=9)
        window = f"{day} 6am-7am"
        made = site.create_job(status="scheduled", window=window, price="300 all-in")
        return made["number"], f"{site.url}/t/{made['token']}"

    return make_job


def unlock(page, job, then=""):
    page.goto(f"{job}/{then}" if then else f"{job}/unlock/")
    page.fill("[name=digits]", DIGITS)
    page.click("main form button")
    page.wait_for_url(f"{job}/{then or '#private'}")


def test_job_is_moved_without_javascript(site, open_page, make_job):
    _, job = make_job()
    page = open_page(java_script_enabled=False)
    page.goto(f"{job}/")
    page.click("text=Move to another time")
    page.fill("[name=digits]", DIGITS)
    page.click("main form button")
    page.select_option("[name=window]", index=3)
    chosen = page.locator("[name=window] option").nth(3).inner_text()
    page.click("text=Move my job")
    page.wait_for_url(f"{job}/?done=moved")
    assert "Your job has its new time." in page.inner_text("#done")
    assert page.inner_text("#window").endswith(chosen)
    assert page.said == []


def test_back_and_the_same_form_again_count_once(site, open_page, make_job):
    number, job = make_job()
    page = open_page(java_script_enabled=False)
    unlock(page, job, "gate/")
    page.fill("[name=code]", "Gate 4411")
    page.click("text=Save for the crew")
    page.wait_for_url(f"{job}/?done=code-given")
    page.go_back()
    page.fill("[name=code]", "Gate 4412")
    page.click("text=Save for the crew")
    page.wait_for_url(f"{job}/?done=code-given")
    assert "4411" not in page.content()
    code = (
        f"from dispatch.models import Job; print(Job.objects.get(number={number[4:]}).access_notes)"
    )
    notes = site.manage("shell", "-v0", "-c", code).stdout
    # `no-store`: Back asks for a form with a key of its own, so both are kept.
    assert ("4411" in notes, "4412" in notes) == (True, True)


def test_photos_and_a_note_are_sent(open_page, make_job):
    _, job = make_job()
    page = open_page()
    unlock(page, job, "photos/")
    photo = {"name": "shed.jpg", "mimeType": "image/jpeg", "buffer": jpeg()}
    page.set_input_files("[name=photos]", [photo, photo])
    page.wait_for_selector(".photos li:nth-child(2)")
    page.fill("[name=note]", "By the shed")
    page.click("text=Send to the crew")
    page.wait_for_url(f"{job}/?done=added")
    assert page.said == []


def test_job_is_cancelled_by_keyboard(open_page, make_job):
    _, job = make_job()
    page = open_page(java_script_enabled=False)
    unlock(page, job, "cancel/")
    page.focus("[name=reason]")
    page.keyboard.press("Space")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    page.keyboard.type("Moving away")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url(f"{job}/?done=cancelled")
    assert page.locator("#actions").count() == 0


@pytest.fixture(scope="module")
def job_to_look_at(make_job):
    return make_job()[1]


@pytest.mark.parametrize(("width", "scheme"), [(320, "light"), (390, "dark"), (1280, "light")])
def test_pages_are_accessible(open_page, job_to_look_at, width, scheme):
    page, job = open_page(width, color_scheme=scheme, reduced_motion="reduce"), job_to_look_at
    unlock(page, job)
    for name in PAGES:
        page.goto(f"{job}/{name}/")
        assert (name, page.evaluate(ACCESSIBILITY), scrolls_sideways(page)) == (name, [], False)
        page.click("main form button")
        page.wait_for_selector("#problems")
        assert (name, page.evaluate(ACCESSIBILITY), scrolls_sideways(page)) == (name, [], False)
    page.goto(f"{job}/pickup/")
    assert (page.evaluate(ACCESSIBILITY), scrolls_sideways(page)) == ([], False)


@pytest.mark.parametrize(("width", "colours"), [(320, "active"), (640, "none")])
def test_pages_of_access_fit_narrow_screens_and_forced_colours(open_page, make_job, width, colours):
    """A window of 1280 pixels at 200 % has 640."""
    page = open_page(width, forced_colors=colours, reduced_motion="reduce")
    _, job = make_job()  # digits can be tried five times an hour

    def check(name):
        assert (name, page.evaluate(ACCESSIBILITY), page.evaluate(LAYOUT)) == (name, [], [])

    page.goto(f"{job}/unlock/")
    check("unlock")
    page.fill("[name=digits]", "9999")
    page.click("main form button")
    page.wait_for_selector("#id_digits_error")
    check("wrong digits")
    page.goto(job.rpartition("/")[0] + "/")
    check("find")
    page.goto(f"{job}0/")
    check("inactive")
    unlock(page, job)
    check("job")
    for name in PAGES:
        page.goto(f"{job}/{name}/")
        check(name)
