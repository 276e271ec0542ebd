"""The board over the office's own endpoints and database, in each budget of clicks."""

import pytest
from django.utils import timezone

from tests.pages.test_board import COUNT, card, clicks, drag, focused, said

pytestmark = pytest.mark.browser
READY = {"status": "ready_for_pickup"}
NAMES = ("Ann Birch", "Ben Cole", "Carl Dunn")


@pytest.fixture(scope="module")
def jobs(site):
    """Make a job for today without a crew, one in Birch's run, and a request; return their ids."""
    site.read("/api/v1/windows?zip=99709&service=junk&load=half")  # makes the windows
    window = f"{timezone.localdate()} 12am-11:59pm"
    today = {"status": "scheduled", "window": window, "price": "340 all-in"}
    made = [
        site.create_job(name=NAMES[0], phone="907-555-0161", **today),
        site.create_job(name=NAMES[1], phone="907-555-0162", crew="Birch", **today | READY),
        site.create_job(name=NAMES[2], phone="907-555-0163"),
    ]
    return [one["number"] for one in made]


@pytest.fixture(scope="module")
def session(site, browser):
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{site.url}/dashboard/")
    page.click("#login-link")
    page.fill("[name=username]", "demo")
    page.fill("[name=password]", "hauls-junk-all-day")
    page.press("[name=password]", "Enter")
    page.wait_for_url("**/dashboard/")
    yield context.storage_state()
    context.close()


@pytest.fixture
def open_office(site, session, jobs, open_page):
    def open_office(width=1280):
        page = open_page(width, storage_state=session, reduced_motion="reduce")
        page.add_init_script(COUNT)
        page.goto(f"{site.url}/dashboard/")
        page.wait_for_selector(".card", state="attached")
        return page

    return open_office


def id_of(page, name):
    return int(page.locator(".card", has_text=name).get_attribute("data-id"))


def crew(page, name):
    return page.locator(".column.run", has=page.locator("h2", has_text=name))


def test_request_is_scheduled_moved_and_cancelled(open_office, jobs):
    page = open_office()
    job = id_of(page, NAMES[2])
    card(page, job).locator("text=Schedule").click()
    page.click("#ask .choice >> nth=2")
    page.wait_for_selector(f'.card[data-id="{job}"]', state="detached")  # it is on another day
    assert clicks(page) == 2
    page.keyboard.press("/")
    page.keyboard.type("5550163")
    page.wait_for_selector(f"#found [role=option]:has-text('{NAMES[2]}')")
    page.keyboard.press("Enter")
    page.wait_for_selector(f"#side .chip:has-text('Scheduled'), #side:has-text('{jobs[2]}')")
    assert clicks(page) == 2
    page.click("#side >> text=More…")
    page.click("#menu >> text=Cancel the job…")
    page.keyboard.type("Moved away")
    page.click("#ask >> text=Customer cancels")
    said(page, "Cancelled")
    assert clicks(page) == 5
    assert ["status of 422" in line for line in page.said] == [True]


def test_job_is_assigned_ordered_started_and_undone(open_office):
    page = open_office()
    job, other = id_of(page, NAMES[0]), id_of(page, NAMES[1])
    first = crew(page, "Birch").locator(".card").first
    drag(page, job, first)
    said(page, "Assigned to Birch")
    assert clicks(page) == 1
    ids = "(list) => [...list.children].map((one) => Number(one.dataset.id))"
    run = crew(page, "Birch").locator(".cards")
    assert run.evaluate(ids)[0] == job
    card(page, job).locator(".name").focus()
    for key in ("Space", "ArrowDown", "Space"):
        page.keyboard.press(key)
    said(page, "Moved in the run of Birch")
    assert run.evaluate(ids)[1] == job
    card(page, other).locator("text=On the way").click()
    said(page, "Crew on the way")
    assert clicks(page) == 2
    page.keyboard.press("u")
    said(page, "Undone")
    page.wait_for_selector(
        f'.card[data-id="{other}"]:not(.pending) .chip:has-text("Ready for pickup")'
    )
    page.reload()
    page.wait_for_selector(f'.card[data-id="{other}"] .chip:has-text("Ready for pickup")')
    assert run.evaluate(ids)[1] == job
    assert page.said == []


def test_two_dispatchers_move_one_job_at_once(open_office):
    one, other = open_office(), open_office()
    job = id_of(one, NAMES[0])
    for page, key in ((one, "2"), (other, "3")):
        card(page, job).locator(".name").focus()
        page.keyboard.press(key)
        if page is one:
            said(one, "Assigned to Tamarack")
    other.wait_for_selector("#trouble:has-text('was faster')")
    assert "→ Tamarack" in other.inner_text("#trouble")
    for page in (one, other):
        page.wait_for_selector(f'.run:has-text("Tamarack") .card[data-id="{job}"]:not(.pending)')
    assert focused(one) == str(job)


def test_phone(open_office):
    page = open_office(390)
    page.click("#switch >> text=Birch")
    job = id_of(page, NAMES[1])
    card(page, job).locator(".name").click()
    page.wait_for_selector("#side:modal section:has-text('History')")
    page.keyboard.press("Escape")
    page.click(".top nav >> text=Office")
    page.wait_for_url("**/admin/")
    assert page.said == []
