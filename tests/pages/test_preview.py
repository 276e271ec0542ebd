"""A previewed page in a real browser: the banner, the way out, and nothing for anybody else."""

from pathlib import Path

import pytest

pytestmark = pytest.mark.browser
ACCESSIBILITY = (Path(__file__).parent / "accessibility.js").read_text()
PIANOS = "Piano removal"


@pytest.fixture(scope="module")
def candidate(site):
    """Push a release whose home page offers one service more; nobody sees it."""
    service = f"ServiceType.objects.create(code='piano', name='{PIANOS}', kind='haul')"
    shell = "from dispatch.models import ServiceType; "
    assert site.manage("shell", "-c", shell + service).returncode == 0
    release = site.json("push", "--no-deploy")["release"]
    site.manage("shell", "-c", shell + "ServiceType.objects.filter(code='piano').delete()")
    return release


@pytest.fixture(scope="module")
def link(site, candidate):
    def link(path="/", environment="production"):
        return site.json("preview", candidate, "--path", path, "--environment", environment)["url"]

    return link


def banner(page):
    return page.locator("aside[aria-label=Preview]")


def shown(page):
    """Wait for the banner; give its text."""
    banner(page).get_by_role("status").filter(has_text="Preview of").wait_for()
    return banner(page).inner_text()


@pytest.mark.parametrize("width", [390, 1280])
def test_banner_names_the_release_and_leads_out(site, open_page, candidate, link, width):
    page = open_page(width)
    page.goto(link("/?a=1"))
    assert page.url == f"{site.url}/?a=1"
    assert f"Preview of {candidate}" in shown(page)
    assert PIANOS in page.inner_text("main")
    assert page.locator("meta[name=robots]").get_attribute("content") == "noindex"
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")
    out = page.get_by_role("link", name="Leave the preview")
    assert out.bounding_box()["height"] >= 44
    out.click()
    page.wait_for_url(f"{site.url}/?a=1")
    page.wait_for_timeout(300)
    assert PIANOS not in page.inner_text("main")
    assert banner(page).count() == 0
    assert page.context.cookies() == []
    assert page.said == []


def test_scripts_cannot_read_the_ticket(open_page, candidate, link):
    page = open_page()
    page.goto(link())
    assert page.evaluate("document.cookie") == f"qdn_preview={candidate}"
    kept = {cookie["name"]: cookie for cookie in page.context.cookies()}
    assert set(kept) == {"qdn_release", "qdn_preview"}
    assert kept["qdn_release"]["httpOnly"]
    assert abs(kept["qdn_release"]["expires"] - kept["qdn_preview"]["expires"]) <= 1


@pytest.mark.parametrize("path", ["/", "/book/", "/dashboard/", "/track/x"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_previewed_page_is_accessible(open_page, link, path, scheme):
    page = open_page(color_scheme=scheme, reduced_motion="reduce")
    page.goto(link(path))
    shown(page)
    assert page.evaluate(ACCESSIBILITY) == []


def test_banner_does_not_cover_what_has_the_focus(open_page, link):
    page = open_page(reduced_motion="reduce")
    page.goto(link("/book/"))
    shown(page)
    top = banner(page).bounding_box()["y"]
    for _ in range(25):
        page.keyboard.press("Tab")
        box = page.evaluate(
            "(() => { const box = document.activeElement.getBoundingClientRect();"
            " return [box.top, box.bottom, !document.activeElement.closest('aside')]; })()"
        )
        assert not box[2] or box[0] < top, "the focus is behind the banner"


def test_track_page_asks_for_no_more_than_it_did_but_for_the_look(site, open_page, link):
    page = open_page()
    page.goto(link(site.mark.removeprefix(site.url)))
    shown(page)
    page.wait_for_timeout(300)
    # The link, the page, its script, the document, whether the page is the release's, and the
    # release that the browser's copy names.
    assert len(page.asked) == 6
    assert page.said == []


def test_visitors_get_nothing_of_it(site, open_page, candidate):
    page = open_page()
    page.goto(site.url)
    page.wait_for_timeout(300)
    assert banner(page).count() == 0
    assert page.locator("meta[name=robots]").count() == 0
    assert len(page.asked) == 3  # the page, its script, and the browser's copy of the page
    assert page.said == []


def test_cookie_of_ones_own_making_shows_no_banner(site, open_page, candidate):
    page = open_page()
    page.context.add_cookies([{"name": "qdn_preview", "value": candidate, "url": site.url}])
    page.goto(site.url)
    page.wait_for_timeout(500)
    assert banner(page).count() == 0
    assert PIANOS not in page.inner_text("main")


def test_pages_of_another_environment_show_no_banner(site, open_page, link):
    page = open_page()
    page.goto(link())
    shown(page)
    page.goto(f"{site.url}/book-staging/")
    page.wait_for_timeout(500)
    assert banner(page).count() == 0


def test_preview_goes_through_maintenance_and_out_again(site, open_page, link):
    flags = ("--environment", "production", "--yes")
    assert site.manage("maintenance", "on", "--message", "Back at 6 pm.", *flags).returncode == 0
    try:
        page = open_page()
        answer = page.goto(link())
        assert answer.status == 200
        shown(page)
        with page.expect_navigation():
            page.get_by_role("link", name="Leave the preview").click()
        page.wait_for_selector("text=Back at 6 pm.")
        assert page.inner_text("h1") == "Back soon"
    finally:
        assert site.manage("maintenance", "off", *flags).returncode == 0
