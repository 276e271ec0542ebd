"""The board in a real browser: each task in its budget of clicks, by mouse, touch and keyboard."""

import pytest

from tests.pages.boards import start_server
from tests.pages.offices import DAY, Office, make_card

pytestmark = pytest.mark.browser
COUNT = """window.clicks = 0;
addEventListener('pointerdown', () => { window.clicks += 1; }, { capture: true });"""
ORDER = "(list) => [...list.children].map((one) => Number(one.dataset.id))"


@pytest.fixture(scope="module")
def server():
    server = start_server()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def office(server):
    server.office = Office()
    return server.office


@pytest.fixture
def open_board(server, office, open_page):
    """Give a function that opens the board at a width; its page counts clicks."""

    def open_board(width=1280, *, actor="dana", query="", clock=False, **kwargs):
        page = open_page(width, reduced_motion="reduce", has_touch=width < 700, **kwargs)
        page.context.add_cookies([{"name": "who", "value": actor, "url": server.url}])
        if clock:
            page.clock.install()
        page.add_init_script(COUNT)
        page.goto(f"{server.url}/dashboard/{query}")
        page.wait_for_selector(".card", state="attached")
        return page

    return open_board


def clicks(page):
    return page.evaluate("window.clicks")


def card(page, job):
    return page.locator(f'.card[data-id="{job}"]')


def in_column(page, code, job):
    page.wait_for_selector(f'#column-{code} .card[data-id="{job}"]:not(.pending)', state="attached")


def order(page, code):
    return page.eval_on_selector(f"#column-{code} .cards", ORDER)


def focused(page):
    return page.evaluate("document.activeElement.closest('.card').dataset.id")


def said(page, text):
    page.wait_for_selector(f'#said:has-text("{text}")')


def drag(page, job, to, *, drop=True):
    """Drag a card with the mouse onto the first one of another column."""
    card(page, job).locator(".name").scroll_into_view_if_needed()
    start, end = card(page, job).locator(".name").bounding_box(), to.bounding_box()
    page.mouse.move(start["x"] + 30, start["y"] + 20)
    page.mouse.down()
    page.mouse.move(start["x"] + 40, start["y"] + 24, steps=4)
    page.wait_for_selector(".sortable-fallback")
    here = to.locator("xpath=..").locator(".sortable-ghost:first-child")
    # The library looks where the pointer is every 50 ms, if it has moved.
    for step in range(1000):
        page.mouse.move(end["x"] + end["width"] / 2 + step % 2, end["y"] + 20)
        if here.count():
            break
    here.wait_for()
    if drop:
        page.mouse.up()


# Budgets


@pytest.mark.parametrize("width", [390, 1280])
def test_request_is_scheduled_in_two_clicks(open_board, office, width):
    page = open_board(width)
    page.click("text=Choose window")
    page.click("#ask .choice >> nth=0")
    said(page, "Scheduled")
    assert clicks(page) == 2
    assert office.cards[13]["status"] == "scheduled"
    page.wait_for_selector(".need", state="detached")
    # The browser notes what was refused.
    assert ["status of 422" in line for line in page.said] == [True]


def test_card_is_assigned_by_one_drag(open_board, office):
    page = open_board()
    drag(page, 11, card(page, 31))
    said(page, "Assigned to South crew")
    in_column(page, "crew-4", 11)
    assert clicks(page) == 1
    asked = {"act": "assign", "job": 11, "crew": 4, "before": 31, "revision": 1, "day": DAY}
    assert office.acts[0].items() >= asked.items()
    assert order(page, "crew-4") == [11, 31]
    assert page.said == []


def test_card_is_assigned_with_two_keys(open_board, office):
    page = open_board()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("2")
    in_column(page, "crew-4", 11)
    said(page, "Assigned to South crew")
    assert clicks(page) == 0
    # The card moved, and took the focus with it.
    assert focused(page) == "11"


@pytest.mark.parametrize("width", [390, 1280])
def test_crew_is_on_the_way_in_one_click(open_board, office, width):
    page = open_board(width)
    if width == 390:
        page.click("#switch >> text=South crew")
        page.evaluate("window.clicks = 0")
    card(page, 31).locator("text=On the way").click()
    page.wait_for_selector('.card[data-id="31"] .chip:has-text("Crew on the way")')
    assert clicks(page) == 1


@pytest.mark.parametrize("width", [390, 1280])
def test_job_is_rescheduled_in_three_clicks(open_board, office, width):
    page = open_board(width)
    if width == 390:
        page.click("#switch >> text=South crew")
        page.evaluate("window.clicks = 0")
    card(page, 31).locator(".more").click()
    page.click("#menu >> text=Window…")
    page.click("#ask .choice >> nth=1")
    said(page, "Window saved")
    assert clicks(page) == 3
    assert office.cards[31]["window"]["start"].startswith("2026-11-24T08")


def test_job_is_found_by_phone_without_a_click(open_board, office):
    page = open_board()
    page.keyboard.press("/")
    page.keyboard.type("5550141")
    page.wait_for_selector("#found [role=option]:has-text('Hal Ives')")
    page.keyboard.press("Enter")
    page.wait_for_selector("#side h2:has-text('Hal Ives')")
    assert clicks(page) == 0


@pytest.mark.parametrize("width", [390, 1280])
def test_tomorrow_is_one_click_away(open_board, office, width):
    page = open_board(width)
    page.click("#after")
    page.wait_for_selector("h1:has-text('Tuesday, Nov 24')")
    assert clicks(page) == 1
    assert page.url.endswith("?day=2026-11-24")
    assert page.locator(".card").count() == 0
    page.go_back()
    page.wait_for_selector("h1:has-text('Today, Nov 23')")
    assert page.locator(".card").count() == 9


def test_day_with_eight_open_jobs_is_closed_in_nine_clicks(open_board, server):
    jobs = range(11, 19)
    server.office = office = Office({job: make_card(job, f"Job {job}", crew=3) for job in jobs})
    page = open_board()
    for job in jobs:
        card(page, job).locator("text=Completed").click()
        in_column(page, "done", job)
    assert clicks(page) <= 9
    assert {one["status"] for one in office.cards.values()} == {"completed"}


@pytest.mark.parametrize("width", [390, 1280])
def test_job_is_cancelled_in_three_clicks(open_board, office, width):
    page = open_board(width)
    if width == 390:
        page.click("#switch >> text=Unassigned")
        page.evaluate("window.clicks = 0")
    card(page, 12).locator(".more").click()
    page.click("#menu >> text=Cancel the job…")
    page.keyboard.type("Moved away")  # the field has the focus
    page.click("#ask >> text=Customer cancels")
    said(page, "Cancelled")
    assert clicks(page) == 3
    assert office.acts[0].items() >= {"side": "customer", "reason": "Moved away"}.items()


# By keyboard and by touch


def test_card_is_picked_up_and_dropped_by_keyboard(open_board, office):
    page = open_board()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Space")
    said(page, "Picked up Ann Berg")
    page.keyboard.press("ArrowRight")
    said(page, "North crew, 1 of 4")
    page.keyboard.press("ArrowDown")
    said(page, "North crew, 2 of 4")
    assert office.acts == []
    page.keyboard.press("Space")
    said(page, "Assigned to North crew")
    in_column(page, "crew-3", 11)
    assert order(page, "crew-3") == [21, 11, 22, 23]


def test_picked_up_card_goes_back_on_escape(open_board, office):
    page = open_board()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Space")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Escape")
    said(page, "Left where it was")
    assert order(page, "unassigned") == [11, 12, 13]
    assert office.acts == []


def test_order_of_a_run_is_changed_by_keyboard_and_undone(open_board, office):
    page = open_board()
    card(page, 23).locator(".name").focus()
    for key in ("Space", "ArrowUp", "Space"):
        page.keyboard.press(key)
    said(page, "Order of the run changed")
    assert office.order[3] == [21, 23, 22]
    with page.expect_response("**/api/board/acts"):
        page.keyboard.press("u")
    in_column(page, "crew-3", 23)
    assert office.order[3] == [21, 22, 23]


def test_all_can_be_done_by_keyboard(open_board, office):
    page = open_board()
    keys = page.keyboard
    keys.press("ArrowRight")
    keys.press("ArrowRight")  # from Unassigned to the first crew
    assert focused(page) == "21"
    keys.press("ArrowDown")
    keys.press("p")
    keys.type("400 all-in")
    keys.press("Tab")
    keys.type("More than it looked")
    keys.press("Enter")
    said(page, "Price saved")
    keys.press("h")
    keys.type("Sick")
    keys.press("Enter")
    said(page, "On hold")
    keys.press("h")
    said(page, "Off hold")
    keys.press("n")
    said(page, "Crew on the way")
    keys.press("m")
    keys.press("n")  # as the menu shows it
    said(page, "In progress")
    keys.press("Enter")
    page.wait_for_selector("#side h2:has-text('Emil Fox')")
    keys.press("Escape")
    assert page.locator("#side").is_hidden()
    assert focused(page) == "22"
    assert clicks(page) == 0
    assert page.said == []


def test_run_is_ordered_by_touch(open_board, office):
    page = open_board(390)
    page.tap("#switch >> text=North crew")
    card(page, 23).locator(".more").tap()
    page.tap("#menu >> text=Earlier in the run")
    said(page, "Order of the run changed")
    assert order(page, "crew-3") == [21, 23, 22]
    card(page, 22).locator(".more").tap()
    page.tap("#menu >> text=South crew")
    said(page, "Assigned to South crew")
    assert office.cards[22]["crew"] == 4
    page.tap("text=Undo")
    said(page, "Undone")
    assert office.cards[22]["crew"] == 3


def test_phone_has_a_way_to_the_office_and_all_columns(open_board, office):
    page = open_board(390)
    assert page.locator(".column:visible").count() == 1
    for button in page.locator("#switch button").all():
        button.tap()
        assert page.locator(".column:visible").count() == 1
    assert card(page, 51).locator(".phone").get_attribute("href") == "tel:+19075550151"
    page.tap(".top nav >> text=Office")
    page.wait_for_url("**/admin/")
