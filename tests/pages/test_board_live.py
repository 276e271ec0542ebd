"""The board while others work: conflicts, what is missing, redraws, outages, and its looks."""

from pathlib import Path

import pytest

from tests.pages.offices import WINDOWS
from tests.pages.test_board import (
    card,
    drag,
    focused,
    in_column,
    office,
    open_board,
    order,
    said,
    server,
)

__all__ = ["office", "open_board", "server"]  # fixtures
pytestmark = pytest.mark.browser
ACCESSIBILITY = (Path(__file__).parent / "accessibility.js").read_text()
FRESH = """[...document.querySelectorAll('.card')].filter((one) => !one.seen)
  .map((one) => one.dataset.id)"""
SMALL = """[...document.querySelectorAll('a, button, input')]
  .filter((one) => one.checkVisibility() && !one.closest('.skip'))
  .filter((one) => one.getBoundingClientRect().height < 44).map((one) => one.outerHTML)"""


def next_poll(page):
    """Let 16 seconds pass, and wait until the board has asked again."""
    with page.expect_response("**/api/board"):
        page.clock.fast_forward("00:16")


def test_two_dispatchers_drag_one_card_at_once(open_board, office):
    dana, olga = open_board(actor="dana"), open_board(actor="olga")
    drag(dana, 11, card(dana, 21), drop=False)
    drag(olga, 11, card(olga, 31), drop=False)
    olga.mouse.up()
    said(olga, "Assigned to South crew")
    dana.mouse.up()
    dana.wait_for_selector("#trouble:has-text('was changed by olga')")
    assert "olga changed crew: nothing → South crew" in dana.inner_text("#trouble")
    for page in (dana, olga):
        in_column(page, "crew-4", 11)
    assert office.cards[11]["crew"] == 4
    dana.keyboard.press("Escape")
    assert dana.inner_text("#trouble") == ""


def test_order_of_a_changed_run_is_refused(open_board, office):
    page = open_board()
    office.runs[3] = 9
    card(page, 23).locator(".more").click()
    page.click("#menu >> text=Earlier in the run")
    page.wait_for_selector("#trouble:has-text('The run was changed by olga')")
    assert order(page, "crew-3") == [21, 22, 23]


def test_what_is_missing_is_entered_where_it_is_missed(open_board, office):
    page = open_board()
    card(page, 12).locator("text=On the way").click()
    page.wait_for_selector("#ask[open]")
    page.select_option("#ask [name=crew]", "4")
    page.fill("#ask [name=price]", "340 all-in")
    page.click("#ask .button.first")
    page.wait_for_selector('#column-crew-4 .card[data-id="12"] .chip:has-text("Crew on the way")')
    assert office.cards[12]["price"] == "$340 all-in"


def test_hold_is_taken_off_on_the_way(open_board, office):
    page = open_board()
    card(page, 23).locator("text=On the way").click()
    page.click("#ask >> text=On the way")
    page.wait_for_selector('.card[data-id="23"] .chip:has-text("Crew on the way")')
    assert not office.cards[23]["on_hold"]


def test_wrong_price_is_asked_again(open_board, office):
    page = open_board()
    card(page, 12).locator(".name").focus()
    page.keyboard.press("p")
    page.keyboard.type("much")
    page.keyboard.press("Enter")
    page.wait_for_selector("#ask h2:has-text('That is not a price')")
    page.keyboard.type("340 all-in")
    page.keyboard.press("Enter")
    said(page, "Price saved")
    assert office.cards[12]["price"] == "$340 all-in"


def test_window_with_times_of_its_own(open_board, office):
    page = open_board()
    card(page, 31).locator(".name").focus()
    page.keyboard.press("w")
    page.click("#ask summary")
    page.fill("#ask [name=day]", "2026-11-25")
    page.fill("#ask [name=from]", "07:30")
    page.fill("#ask [name=to]", "09:00")
    page.click("#ask .button.first")
    said(page, "Window saved")
    asked = {"start": "2026-11-25T07:30", "end": "2026-11-25T09:00"}
    assert office.acts[-1].items() >= asked.items()


def test_undo_is_offered_for_ten_seconds(open_board, office):
    page = open_board(clock=True)
    card(page, 31).locator("text=On the way").click()
    page.wait_for_selector("#undo:visible")
    page.click("#undo")
    said(page, "Undone")
    assert office.cards[31]["status"] == "scheduled"
    card(page, 31).locator("text=On the way").click()
    page.wait_for_selector("#undo:visible")
    page.mouse.move(5, 5)
    page.clock.fast_forward("00:11")
    page.clock.fast_forward("00:02")
    page.wait_for_selector("#undo", state="hidden")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("u")
    said(page, "There is nothing to undo now")


def test_act_is_shown_as_pending_until_the_server_answers(open_board, office):
    page = open_board()
    held = []

    def hold(route):  # a function of ours: the library sets an attribute of it
        held.append(route)

    page.route("**/api/board/acts", hold)
    card(page, 31).locator("text=On the way").click()
    page.wait_for_selector('.card.pending[data-id="31"] .chip.saving:has-text("On the way…")')
    assert office.cards[31]["status"] == "scheduled"
    held[0].continue_()
    page.wait_for_selector('.card:not(.pending)[data-id="31"] .chip:has-text("Crew on the way")')


def test_only_changed_cards_are_redrawn_and_focus_and_scroll_stay(open_board, office):
    page = open_board(clock=True)
    page.evaluate("document.querySelectorAll('.card').forEach((one) => { one.seen = true; })")
    list_ = page.locator("#column-crew-3 .cards")
    list_.evaluate("(one) => { one.scrollTop = 150; }")
    card(page, 22).locator("text=Completed").evaluate("(one) => one.focus({ preventScroll: true })")
    with office.lock:
        office.cards[22]["late_by"] = 40
        office.changed(office.cards[22], dict(office.cards[22]), "olga")
        office.cards[31]["crew"] = 3
        office.order = {3: [31, *office.order[3]], 4: [51]}
    next_poll(page)
    page.wait_for_selector('#column-crew-3 .card[data-id="31"]', state="attached")
    assert "40 min" in card(page, 22).inner_text()
    assert sorted(page.evaluate(FRESH)) == ["22", "31"]
    assert page.evaluate("document.activeElement.textContent") == "Completed"
    assert focused(page) == "22"
    assert list_.evaluate("(one) => one.scrollTop") >= 150


def test_unchanged_board_is_not_sent_again(open_board, office):
    page = open_board(clock=True)
    next_poll(page)
    page.wait_for_selector("#asof:not(:empty)")
    assert office.polls[-2:] == [200, 304]  # one of a page before may come first
    assert page.said == []


def test_texts_keep_their_spaces_in_a_release(open_board, office):
    page = open_board()
    assert card(page, 22).locator(".when").inner_text() == "11 AM – 1 PM"  # noqa: RUF001
    card(page, 22).locator(".name").click()
    page.wait_for_selector("#side li:has-text('Scheduled, dana: Called')")
    assert page.get_attribute("#side .photos a", "aria-label") == "Photo, before"


def test_open_panel_follows_its_job(open_board, office):
    page = open_board(clock=True)
    card(page, 31).locator(".name").click()
    page.wait_for_selector("#side:has-text('Gate 4711')")
    assert page.evaluate("document.activeElement.textContent") == "Gus Hall"
    with office.lock:
        before = dict(office.cards[31])
        office.cards[31]["price"] = "$999 all-in"
        office.changed(office.cards[31], before, "olga")
    next_poll(page)
    page.wait_for_selector("#side:has-text('$999 all-in')")
    page.click("#side .main")
    page.wait_for_selector("#side .chip:has-text('Crew on the way')")
    page.keyboard.press("Escape")
    assert focused(page) == "31"


def test_offline_board_says_so_and_refuses_acts(open_board, office):
    page = open_board(clock=True)
    page.context.set_offline(True)
    page.wait_for_selector("#stale:has-text('re offline')")
    card(page, 31).locator("text=On the way").click()
    said(page, "nothing was changed")
    assert page.locator(".pending").count() == 0
    assert office.acts == []
    page.context.set_offline(False)
    page.wait_for_selector("#stale", state="hidden")
    card(page, 31).locator("text=On the way").click()
    said(page, "Crew on the way")


def test_lost_answer_counts_once_when_tried_again(open_board, office):
    page = open_board()
    lost = []

    def lose(route):
        lost.append(route.request.post_data_json["key"])
        if len(lost) == 1:
            route.fetch()
            route.abort()
        else:
            route.continue_()

    page.route("**/api/board/acts", lose)
    card(page, 31).locator("text=On the way").click()
    page.click("#trouble button:has-text('Try again')")
    said(page, "Crew on the way")
    assert lost[0] == lost[1]
    assert len(office.acts) == 1


def test_server_that_does_not_answer(open_board, office):
    page = open_board(clock=True)
    office.down = True
    next_poll(page)
    page.wait_for_selector("#stale:has-text('t answer')")
    assert card(page, 31).is_visible()


def test_ended_session_asks_to_sign_in(open_board, office):
    page = open_board(query="?day=2026-11-23")
    office.signed_in = False
    card(page, 31).locator("text=On the way").click()
    page.wait_for_selector("#login:visible")
    assert page.locator("#board").is_hidden()
    assert "day%3D2026-11-23" in page.get_attribute("#login-link", "href")


def test_old_token_is_replaced(open_board, office):
    page = open_board()
    page.evaluate("Board.csrf = 'old'")
    card(page, 31).locator("text=On the way").click()
    said(page, "Crew on the way")


def test_who_may_not_change_jobs_is_not_offered_to(open_board, office):
    office.may_change = False
    page = open_board()
    assert page.locator(".card .main").count() == 0
    card(page, 31).locator(".more").click()
    assert page.locator("#menu [role=menuitem]").all_inner_texts() == [
        "Call (907) 555-0131", "Text", "Open in the office",
    ]  # fmt: skip
    page.keyboard.press("Escape")
    card(page, 31).locator(".name").focus()
    page.keyboard.press("1")
    page.keyboard.press("n")
    assert office.acts == []


# Looks


@pytest.mark.parametrize(
    ("width", "values"),
    [
        (1280, {}),
        (1280, {"forced_colors": "active"}),
        (390, {}),
        (320, {}),
        (640, {"forced_colors": "active"}),
    ],
)
def test_board_is_accessible(open_board, office, width, values):
    """With all that opens: menu, question, search, panel; light and dark."""
    page = open_board(width, **values)

    def is_clean():
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            assert page.evaluate(ACCESSIBILITY) == []
        assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")

    is_clean()
    if width < 700:
        page.click("#switch >> text=South crew")
        is_clean()
    card(page, 31).locator(".more").click()
    is_clean()
    page.click("#menu >> text=Window…")
    page.wait_for_selector(f"#ask >> text={WINDOWS[0]['text']}")
    page.click("#ask summary")
    is_clean()
    page.click("#ask >> text=Close")
    page.fill("#find", "gus")
    page.wait_for_selector("#found [role=option]")
    is_clean()
    page.click("#found [role=option]")
    page.wait_for_selector("#side section")
    is_clean()
    page.click("#side [aria-label='Close the panel']")
    assert "undefined" not in page.inner_text("body")
    assert page.said == []


def test_focus_stays_on_the_page_when_its_card_leaves(open_board, office):
    page = open_board(390)
    page.click("#switch >> text=Unassigned")
    card(page, 11).locator(".name").focus()
    page.keyboard.press("2")
    said(page, "Assigned to South crew")
    assert page.evaluate("document.activeElement.id") == "title"


def test_keys_are_listed(open_board, office):
    page = open_board()
    page.keyboard.press("?")
    page.wait_for_selector("#help:modal")
    assert page.evaluate(ACCESSIBILITY) == []
    page.keyboard.press("Escape")
    page.keyboard.press("]")
    page.wait_for_selector("h1:has-text('Tuesday, Nov 24')")
    page.keyboard.press("t")
    page.wait_for_selector("h1:has-text('Today, Nov 23')")


def test_touch_targets_are_large_enough(open_board, office):
    page = open_board(390)
    page.click("#switch >> text=South crew")
    assert page.evaluate(SMALL) == []


def test_board_on_paper(open_board, office):
    page = open_board()
    page.emulate_media(media="print")
    assert page.locator(".card:visible").count() == 9
    assert page.locator("button:visible, nav:visible, input:visible").count() == 10  # the names
    assert page.locator("main a:visible").count() == 9  # the phones
