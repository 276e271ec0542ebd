"""What a customer types is text on every page that shows it, in a real browser."""

import re
from html import escape
from urllib.parse import quote

import pytest

from qdn.demonstration import LOGIN, PASSWORD
from tests.attacks.payloads import PAYLOADS, Watcher, fitting
from tests.pages.conftest import browser, site

__all__ = ["browser", "site"]
pytestmark = pytest.mark.browser
BOOK = "/book/request/"
# One in two payloads begins a job's fields, and so is its first name.
JOBS = len(PAYLOADS) // 2
# The pages that take something from the address.
ADDRESSES = (
    "/t/?link={}", "/t/{}/", "/track/{}", "/track?token={}", "/track/?t={}", "/nowhere/{}",
    "/?release={}", "/dashboard/?q={}", "/book/?zip_code={}", "/book/request/?name={}",
)  # fmt: skip
OFFICE_ADDRESSES = (
    "/admin/dispatch/job/?q={}", "/admin/dispatch/job/?status__exact={}", "/admin/search/?s={}",
    "/admin/dispatch/customer/?q={}", "/admin/login/?next={}", "/admin/{}/",
)  # fmt: skip


def typed(number, phone="907-555-01"):
    """Return a booking with payloads in every field that is text."""
    first = number * 2
    return {
        "name": fitting(first, 120),
        "address_line": fitting(first + 1, 120),
        "unit": fitting(first + 2, 30),
        "town": fitting(first + 3, 80),
        "details": "\n".join(PAYLOADS.values()),
        "access_notes": fitting(first + 4, 500),
        "email": '"<svg/data-hit/onload=hit()>"@example.com',
        "zip_code": "99709",
        "service": "junk",
        "phone": f"{phone}{number + 60}" if phone.endswith("01") else phone,
        "form_key": f"00000000-0000-4000-8000-{number:012}",
    }


@pytest.fixture(scope="module")
def visitor(site, browser):
    context = browser.new_context(base_url=site.url)
    yield Watcher(context)
    context.close()


@pytest.fixture(scope="module")
def office(site, browser):
    """A dispatcher who is logged in."""
    context = browser.new_context(base_url=site.url, viewport={"width": 1280, "height": 900})
    watcher = Watcher(context)
    watcher.page.goto("/admin/login/")
    watcher.page.fill("[name=username]", LOGIN)
    watcher.page.fill("[name=password]", PASSWORD)
    watcher.page.press("[name=password]", "Enter")
    watcher.page.wait_for_url("**/admin/")
    yield watcher
    context.close()


@pytest.fixture(scope="module")
def tokens(site, visitor):
    """Book the jobs, and publish their documents; return the tokens of their links."""
    found = []
    for number in range(JOBS):
        answer = visitor.page.request.post(BOOK, form=typed(number), max_redirects=0)
        assert answer.status == 303, answer.text()
        found.append(re.fullmatch(r"/t/(.+)/", answer.headers["location"])[1])
    site.publish()
    return found


@pytest.fixture(scope="module")
def jobs(tokens, office):
    """The addresses of the jobs' pages in the admin."""
    board = office.page.request.get("/api/board").json()
    names = {typed(number)["name"] for number in range(JOBS)}
    found = [card["url"] for card in board["cards"].values() if card["name"] in names]
    assert len(found) == JOBS
    return found


# The detector


@pytest.mark.parametrize("kind", PAYLOADS.keys() - {"directions"})
def test_payload_is_seen_where_a_page_lets_it_through(visitor, kind):
    text = PAYLOADS[kind]
    visitor.page.goto("about:blank")
    visitor.page.set_content(
        f"<title>{text}</title><p>{text}</p><!-- {text} --><textarea>{text}</textarea>"
        f'<i title="{text}"></i><i title=\'{text}\'></i><a href="{escape(text)}">x</a>'
        f"<script>const a = '{escape(text, quote=False).replace('`', '')}'</script>"
        f'<script type=application/json>{{"a": "{text}"}}</script>'
        f"{text.replace('{{1987*1993}}', str(1987 * 1993))}"
    )
    visitor.page.wait_for_timeout(50)
    assert visitor.found()


# The pages


def test_customer_pages(visitor, tokens):
    for token in tokens:
        assert visitor.open(f"/t/{token}/") == []
        visitor.page.goto(f"/track/{token}")
        visitor.page.wait_for_selector("#status[data-status]")
        assert visitor.found() == []
        document = visitor.page.request.get(f"/track/{token}.json")
        assert document.headers["content-type"].startswith("application/json")
        assert document.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("number", range(JOBS))
def test_form_with_errors(visitor, number):
    visitor.page.goto(BOOK)
    values = {**typed(number, phone="12"), "zip_code": fitting(number * 2, 400)}
    visitor.page.evaluate(
        """(values) => {
          const form = document.querySelector('form[method=post]');
          for (const [name, value] of Object.entries(values)) {
            if (form.elements[name]) {
              form.elements[name].removeAttribute('maxlength');
              form.elements[name].value = value;
            }
          }
          form.noValidate = true;
          form.requestSubmit();
        }""",
        {name: value for name, value in values.items() if name != "form_key"},
    )
    visitor.page.wait_for_selector("#problems")
    assert visitor.found() == []


@pytest.mark.parametrize("address", ADDRESSES)
def test_texts_in_an_address(visitor, address):
    for number in range(0, len(PAYLOADS), 3):
        text = fitting(number, 200)
        assert visitor.open(address.format(quote(text, safe=""))) == [], text


def test_job_pages_of_the_office(office, jobs):
    for job in jobs:
        for page in ("change/", "history/", "tracking-link/"):
            assert office.open(job.replace("change/", page)) == [], page
            assert page != "change/" or "data-hit" in office.page.content()
        office.page.goto(job)
        office.page.click("text=Cancel job")
        office.page.wait_for_selector("text=Who is cancelling?")
        assert office.found() == []
        assert "data-hit" in office.page.content()  # as text


def test_job_page_after_changes_and_conflicts(office, jobs):
    """The timeline repeats what was typed before, and the form repeats another's edit."""
    stale = Watcher(office.page.context)
    for watcher in (office, stale):
        watcher.page.goto(jobs[0])
    for number, watcher in enumerate((office, stale)):
        watcher.page.fill("[name=town]", fitting(number + 4, 80))
        watcher.page.fill("[name=reason]", fitting(number + 6, 300))
        watcher.page.click("[name=_continue]")
    stale.page.wait_for_selector("text=in the meantime")
    assert stale.found() == []
    stale.page.close()
    assert office.open(jobs[0]) == []


def test_lists_of_the_office(office, jobs):
    for page in ("/admin/", "/admin/dispatch/job/", "/admin/dispatch/customer/"):
        assert office.open(page) == [], page
    assert "data-hit" in office.page.content()
    links = office.page.locator("#result_list a[href*='/change/']").evaluate_all(
        "links => links.map((link) => link.href)"
    )
    customers = sorted(set(links))[-JOBS:]
    for customer in customers:
        assert office.open(customer) == []


def test_board(office, jobs):
    office.page.goto("/dashboard/")
    office.page.wait_for_selector(".card", state="attached")
    assert office.page.locator(".card", has_text="data-hit").count() >= 1
    assert office.found() == []


@pytest.mark.parametrize("address", OFFICE_ADDRESSES)
def test_texts_in_an_address_of_the_office(office, address):
    for number in range(0, len(PAYLOADS), 3):
        text = fitting(number, 200)
        assert office.open(address.format(quote(text, safe=""))) == [], text
