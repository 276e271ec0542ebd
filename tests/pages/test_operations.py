"""Steps of an operation as they happen: a real browser, real task clusters."""

import pytest

from qdn.demonstration import LOGIN, PASSWORD
from tests.deployments.sites import write_site

pytestmark = pytest.mark.browser


@pytest.fixture
def cluster(site):
    """Give a function that starts the task clusters."""
    started = []
    yield lambda: started.append(site.start("work"))
    for process in started:
        process.terminate()
        process.communicate(timeout=20)


def test_steps_appear_without_a_reload(site, open_page, cluster):
    site.push("A")
    page = open_page()
    page.goto(f"{site.url}/admin/login/?next=/admin/deployments/environment/")
    page.fill("[name=username]", LOGIN)
    page.fill("[name=password]", PASSWORD)
    page.press("[name=password]", "Enter")
    page.click("text=staging")
    page.wait_for_selector("text=The routing documents, the edge function and the pages")
    page.click("text=Roll back")
    page.fill("[name=reason]", "Wrong prices")
    page.click("button >> text=Roll back staging")
    page.wait_for_selector("[data-state] >> text=Waiting")
    page.evaluate("window.isTheSamePage = true")
    cluster()
    page.wait_for_selector("[data-state] >> text=Done")
    steps = page.locator("[data-steps] > li span").all_inner_texts()
    assert steps[0].startswith("staging: ")
    assert any(step.startswith("Switch staging from") for step in steps)
    assert "deployment" in steps[-1]
    assert len(steps) == len(set(steps))  # each line once, whatever was fetched how often
    assert page.evaluate("window.isTheSamePage")
    asked = [address for address in page.asked if "/steps/?" in address]
    page.wait_for_timeout(1500)
    assert [address for address in page.asked if "/steps/?" in address] == asked
    page.click("text=Back to staging")
    page.wait_for_selector("text=Wrong prices")


def test_without_javascript_the_same_pages_work(site, open_page, cluster):
    site.push("B")
    cluster()
    page = open_page(java_script_enabled=False)
    page.goto(f"{site.url}/admin/login/")
    page.fill("[name=username]", LOGIN)
    page.fill("[name=password]", PASSWORD)
    page.press("[name=password]", "Enter")
    assert page.url == f"{site.url}/admin/"
    page.goto(f"{site.url}/admin/deployments/environment/")
    page.click("th >> text=staging")
    page.click("main >> text=Roll back")
    page.fill("[name=reason]", "Wrong prices again")
    page.click("button >> text=Roll back staging")
    page.wait_for_selector("[data-state] >> text=Done")
    page.click("text=Back to staging")
    page.click("text=Check now")
    page.wait_for_selector("text=The routing documents, the edge function and the pages")


def test_long_message_of_a_release_can_be_read_on_a_phone(site, open_page):
    text = "Half loads from 300 dollars, and the form says so before it asks for a ZIP. " * 2
    folder = write_site(site.folder / "site-long", mark="Long")
    done = site.manage("push", "--source", str(folder), "--message", text)
    assert done.returncode == 0, done.stderr
    page = open_page(java_script_enabled=False)
    page.goto(f"{site.url}/admin/login/?next=/admin/deployments/deployment/")
    page.fill("[name=username]", LOGIN)
    page.fill("[name=password]", PASSWORD)
    page.press("[name=password]", "Enter")
    cell = page.locator(".field-reason").first
    assert cell.inner_text().startswith("Half loads")
    height = "element => [element.scrollHeight, element.clientHeight]"
    assert cell.evaluate(height)[0] <= cell.evaluate(height)[1]


ADMIN_PAGES = [
    "/admin/",
    "/admin/dispatch/job/",
    "/admin/dispatch/job/1/change/",
    "/admin/deployments/environment/",
    "/admin/deployments/environment/1/change/",
    "/admin/deployments/environment/1/freeze/",
    "/admin/deployments/environment/2/deploy/promote/",
    "/admin/deployments/deployment/",
    "/admin/axes/accessattempt/",
]
COLLECT = """
    window.violations = [];
    document.addEventListener("securitypolicyviolation", (found) =>
        violations.push(`${found.violatedDirective} ${found.blockedURI} ${found.sourceFile}`));
"""
# Runs if the policy lets it; a script that is inserted as markup does not run anyway.
ATTACK = 'document.body.insertAdjacentHTML("beforeend", `<img src="x:" onerror="hit = 1">`)'


def test_pages_keep_to_the_policy(site, open_page):
    page = open_page(width=1280)
    page.add_init_script(COLLECT)
    page.goto(f"{site.url}/admin/login/")
    page.fill("[name=username]", LOGIN)
    page.fill("[name=password]", PASSWORD)
    assert page.evaluate("violations") == []
    page.press("[name=password]", "Enter")
    for path in ADMIN_PAGES:
        page.goto(site.url + path)
        page.wait_for_selector("html:not([x-cloak])")  # the theme's scripts ran
        assert page.evaluate("violations") == [], path
    page.evaluate(ATTACK)
    page.wait_for_function("violations.length")
    assert page.evaluate("violations[0]").startswith("script-src-attr inline")
    assert page.evaluate("window.hit") is None
