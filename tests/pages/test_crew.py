"""The crew's page in a real browser: online, in airplane mode, killed and reopened, and plain."""

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Error, expect

from tests.pages.antenna import Antenna
from tests.pages.conftest import CHROMIUM
from tests.pages.test_browser import ACCESSIBILITY, scrolls_sideways
from tests.photo_files import jpeg

pytestmark = pytest.mark.browser
LARGE = (Path(__file__).parent / "large_and_clear.js").read_text()
KEPT = "html[data-kept]"
PATIENCE = 90_000  # milliseconds


class Crew:
    """A crew of a running site with jobs of today, and what they say."""

    def __init__(self, site, name, count):
        self.site, self.antenna = site, Antenna(site.port)
        made = self._there("prepare", name, count)
        self.url = f"http://127.0.0.1:{self.antenna.port}/crew/{made['token']}/"
        self.jobs, self.day, self.pk = made["jobs"], made["day"], made["crew"]

    def airplane_mode(self, context, is_on):
        """Cut the connection, or restore it, and let the browser know."""
        if is_on:
            self.antenna.cut()
        else:
            self.antenna.restore()
        context.set_offline(is_on)

    def told(self):
        """Return what is stored of each job, by its place in the run."""
        return self._there("told", *self.jobs)

    def revoke(self):
        self._there("revoke", self.pk, self.day)

    def spread(self):
        self._there("spread", *self.jobs)

    def hold(self, job):
        self._there("hold", job)

    def cancel(self, job):
        self._there("cancel", job)

    def _there(self, name, *arguments):
        """Call a function of crew_world.py on the site."""
        code = f"from tests.pages import crew_world; crew_world.{name}{arguments!r}"
        done = self.site.manage("shell", "--no-imports", "-c", code)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout or "null")


@pytest.fixture
def crew(site, request):
    count = getattr(request, "param", 2)
    name = re.sub(r"\W+", " ", request.node.name)[:50]
    crew = Crew(site, name, count)
    yield crew
    crew.antenna.close()


@pytest.fixture(scope="module")
def shown(site):
    """A crew whose run has a job in each state that a page shows."""
    crew = Crew(site, "North crew", 6)
    crew.spread()
    yield crew
    crew.antenna.close()


@pytest.fixture
def phone(browser, tmp_path):
    """Return a function that starts a browser with the same profile each time."""
    started = []

    def phone(**options):
        context = browser.browser_type.launch_persistent_context(
            str(tmp_path / "profile"),
            executable_path=CHROMIUM,
            args=["--no-sandbox"],
            viewport={"width": 390, "height": 844},
            **options,
        )
        context.set_default_timeout(PATIENCE)
        started.append(context)
        return context

    yield phone
    for context in started:
        context.close()


def step(page, job, act):
    page.click(f"#job-{job} form[data-act={act}] button")


def photo(page, job, stage):
    box = f"#job-{job} details[data-act=photo]"
    if page.get_attribute(box, "open") is None:
        page.click(f"{box} > summary")
    form = f"{box} form:has([name=stage][value={stage}])"
    file = {"name": "IMG_1.jpg", "mimeType": "image/jpeg", "buffer": jpeg(2400, 1800)}
    page.set_input_files(f"{form} [name=photos]", file)
    page.click(f"{form} button")


def wait_for_news(page, job, *parts):
    """Wait until the news of a job is one line for each part, which has it."""
    lines = page.locator(f"#job-{job} .news span")
    expect(lines).to_have_text([re.compile(re.escape(part)) for part in parts], timeout=PATIENCE)


def test_day_in_airplane_mode_survives_a_killed_browser(crew, phone):
    first, second = crew.jobs
    context = phone()
    page = context.new_page()
    page.goto(crew.url)
    page.wait_for_selector(KEPT)
    crew.airplane_mode(context, True)
    step(page, first, "on_the_way")
    photo(page, first, "before")
    wait_for_news(page, first, "waiting", "waiting")
    step(page, first, "arrived")
    step(page, first, "loading")
    assert "Gate 7781" in page.inner_text(f"#job-{first}")
    step(page, first, "done")
    photo(page, first, "after")
    wait_for_news(page, first, *["waiting"] * 6)
    assert page.inner_text(f"#job-{first} .state") == "Done"
    assert page.locator(f"#job-{first} .private").count() == 0
    assert page.inner_text("#net").endswith("Waiting for signal: 6")
    context.close()  # as if it was killed: nothing was sent
    assert crew.told()[0]["events"] == []

    crew.cancel(second)
    context = phone()
    crew.airplane_mode(context, True)
    page = context.new_page()
    page.goto(crew.url)  # from the phone
    wait_for_news(page, first, *["waiting"] * 6)
    assert page.inner_text(f"#job-{first} .state") == "Done"
    assert page.locator(f"#job-{first} .private").count() == 0
    page.click(f"#job-{second} > details > summary")
    step(page, second, "on_the_way")
    wait_for_news(page, second, "waiting")
    crew.airplane_mode(context, False)
    wait_for_news(page, first, *["sent"] * 6)
    wait_for_news(page, second, "refused: The office cancelled this job. Do not go there.")
    page.wait_for_selector(f"#job-{second}[data-state=cancelled]")
    assert page.is_hidden("#net")

    done, cancelled = crew.told()
    assert done["status"] == "completed"
    assert done["photos"] == ["before", "after"]
    assert done["sizes"] == [[1600, 1200]] * 2
    with_keys = [event for event in done["events"] if event[3] != "None"]
    assert [(status, changes) for status, changes, _, _ in with_keys] == [
        ("en_route", ["status", "steps"]),
        ("en_route", ["photos"]),
        ("en_route", ["arrived_at"]),
        ("in_progress", ["status"]),
        ("completed", ["status"]),
        ("completed", ["photos"]),
    ]
    times = [event[2] for event in with_keys]
    assert times == sorted(times)
    assert "None" not in times
    assert cancelled["events"] == []
    page.reload()
    page.wait_for_selector(KEPT)
    assert [event for event in crew.told()[0]["events"] if event[3] != "None"] == with_keys


def test_page_without_javascript_does_the_same(crew, open_page):
    job = crew.jobs[0]
    page = open_page(java_script_enabled=False)
    page.goto(crew.url)
    step(page, job, "on_the_way")
    page.wait_for_selector(f"#job-{job}[data-state=on_the_way]")
    page.click(f"#job-{job} details[data-act=late] summary")
    page.click(f"#job-{job} button[value='30']")
    page.wait_for_selector("text=30 minutes late")
    step(page, job, "arrived")
    page.wait_for_selector(f"#job-{job}[data-state=arrived]")
    photo(page, job, "before")
    page.wait_for_selector(f"#job-{job} .shots img")
    page.click(f"#job-{job} details[data-act=price] summary")
    page.fill(f"#job-{job} [name=price]", "a lot")
    page.fill(f"#job-{job} [data-act=price] [name=note]", "A piano too")
    page.click("text=Ask the customer")
    assert "Write the price like 340" in page.inner_text("[role=alert]")
    page.click(f"#job-{job} details[data-act=failed] summary")
    page.check(f"#job-{job} [value=no_access]")
    page.set_input_files(
        f"#job-{job} [data-act=failed] [name=photos]",
        {"name": "gate.jpg", "mimeType": "image/jpeg", "buffer": jpeg()},
    )
    page.click("text=Send to the office")
    page.wait_for_selector("text=You could not do it: We could not get in.")
    told = crew.told()[0]
    assert (told["status"], told["photos"]) == ("scheduled", ["before", "before"])
    assert [line for line in page.said if "status of 422" not in line] == []


@pytest.mark.parametrize(
    ("width", "scheme", "language"),
    [(320, "light", "es"), (390, "light", "en"), (390, "dark", "en"), (1280, "light", "es")],
)
def test_page_is_large_clear_and_accessible(shown, open_page, width, scheme, language):
    page = open_page(width=width, color_scheme=scheme)
    page.goto(f"{shown.url}?lang={language}")
    page.wait_for_selector(KEPT)
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    assert page.evaluate("document.documentElement.lang") == language
    assert page.evaluate(ACCESSIBILITY) == []
    assert page.evaluate(LARGE) == []
    assert not scrolls_sideways(page)
    assert page.said == []
    page.goto(shown.url.replace("/crew/", "/crew/x"))
    assert (page.evaluate(ACCESSIBILITY), page.evaluate(LARGE)) == ([], [])


def test_what_is_typed_stays_when_the_office_changes_the_job(crew, open_page):
    job, other = crew.jobs
    page = open_page()
    page.goto(crew.url)
    page.wait_for_selector(KEPT)
    page.click(f"#job-{job} details[data-act=price] summary")
    page.fill(f"#job-{job} [name=price]", "725")
    crew.cancel(job)
    crew.cancel(other)
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    page.wait_for_selector(f"#job-{other}[data-state=cancelled]")
    assert page.input_value(f"#job-{job} [name=price]") == "725"
    page.fill(f"#job-{job} [data-act=price] [name=note]", "A piano too")
    page.click(f"#job-{job} >> text=Ask the customer")
    wait_for_news(page, job, "refused: The office cancelled this job")
    assert page.said == []


def test_link_that_was_revoked_says_so_and_leaves_the_phone(crew, phone):
    job = crew.jobs[0]
    context = phone()
    page = context.new_page()
    page.goto(crew.url)
    page.wait_for_selector(KEPT)
    crew.revoke()
    step(page, job, "on_the_way")
    page.wait_for_selector("#net >> text=This link has ended. Call the office")
    assert page.goto(crew.url).status == 404
    crew.airplane_mode(context, True)
    with pytest.raises(Error, match="ERR_"):
        page.goto(crew.url)
    assert crew.told()[0]["events"] == []


def test_one_tap_of_two_tabs_is_sent_once(crew, phone):
    job = crew.jobs[0]
    context = phone()
    pages = [context.new_page() for _ in range(2)]
    for page in pages:
        page.goto(crew.url)
        page.wait_for_selector(KEPT)
    crew.airplane_mode(context, True)
    step(pages[0], job, "on_the_way")
    wait_for_news(pages[0], job, "waiting")
    crew.airplane_mode(context, False)
    for page in pages:
        page.wait_for_selector(f"#job-{job}[data-state=on_the_way]")
    assert [event[0] for event in crew.told()[0]["events"]] == ["ready_for_pickup", "en_route"]


def test_gate_code_comes_back_if_the_office_refuses_the_end(crew, phone):
    job = crew.jobs[0]
    context = phone()
    page = context.new_page()
    page.goto(crew.url)
    page.wait_for_selector(KEPT)
    step(page, job, "on_the_way")
    page.wait_for_selector(f"#job-{job}[data-state=on_the_way]")
    crew.airplane_mode(context, True)
    step(page, job, "loading")
    step(page, job, "done")
    wait_for_news(page, job, "sent", "waiting", "waiting")
    assert page.locator(f"#job-{job} .private").count() == 0
    crew.hold(job)
    crew.airplane_mode(context, False)
    wait_for_news(page, job, "sent", "refused: This job is on hold", "refused: This job is on hold")
    page.wait_for_selector(f"#job-{job} >> text=Gate 7781", state="attached")
    assert page.locator(f"#job-{job} form[data-act=done]").is_hidden()


def test_delay_is_taken_back(crew, open_page):
    job = crew.jobs[0]
    page = open_page()
    page.goto(crew.url)
    page.wait_for_selector(KEPT)
    for minutes, text in (("60", "60 minutes late"), ("0", "")):
        page.click(f"#job-{job} details[data-act=late] > summary")
        page.click(f"#job-{job} button[name=minutes][value='{minutes}']")
        expect(page.locator(f"#job-{job} .late")).to_have_text([text] if text else [])
    assert [event[1] for event in crew.told()[0]["events"]] == [["late_by"], ["late_by"]]
    assert page.said == []
