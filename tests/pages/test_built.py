"""What stands in the files of a release: sizes, and nothing from anywhere else."""

import gzip
import re

import pytest
from django.conf import settings
from rjsmin import jsmin

from deployments.releases.build import build_surfaces
from dispatch.statuses import Status

pytestmark = pytest.mark.django_db
TRACK_BUDGET = 14 * 1024
PAGE_BUDGET = 10 * 1024
# The page a dispatcher keeps open all day, with its script, and SortableJS is 15 KB of it.
BOARD_BUDGET = 40 * 1024
VENDORED = "office/static/site/vendor/sortable-1.15.7.min.js"
BANNER = settings.BASE_DIR / "deployments/static/site/preview.js"


@pytest.fixture
def built():
    return {file.artifact.path: file.body for file in build_surfaces()}


def pages(built):
    return {path: body.decode() for path, body in built.items() if path.endswith(".html")}


def test_track_page_fits_its_budget(built):
    page = built["track/index.html"]
    scripts = re.findall(r'src="/(assets/[^"]+)"', page.decode())
    assert len(scripts) == 1
    parts = [page, *(built[path] for path in scripts)]
    assert sum(len(gzip.compress(part)) for part in parts) <= TRACK_BUDGET


def test_board_fits_its_budget(built):
    page = built["dashboard/index.html"]
    (script,) = re.findall(r'src="/(assets/[^"]+)"', page.decode())
    assert sum(len(gzip.compress(part)) for part in (page, built[script])) <= BOARD_BUDGET


def test_board_keeps_the_licence_of_what_it_uses(built):
    page = built["dashboard/index.html"].decode()
    (script,) = re.findall(r'src="/(assets/[^"]+)"', page)
    assert "/*! Sortable 1.15.7 - MIT |" in built[script].decode()


def test_each_page_fits_its_budget(built):
    for path, page in pages(built).items():
        assert len(gzip.compress(page.encode())) <= PAGE_BUDGET, path


def test_surface_has_one_script_with_the_banner_at_its_end(built):
    for surface in settings.SURFACES.values():
        page = built[f"{surface['path']}index.html".lstrip("/")].decode()
        (script,) = re.findall(r'<script src="/(assets/[^"]+)" defer[^>]*></script>', page)
        assert jsmin(built[script].decode()).endswith(jsmin(BANNER.read_text()))


def test_pages_of_the_application_have_no_banner(client):
    page = client.get("/book/request/").content.decode()
    assert re.findall(r'<script src="([^"]+)" defer></script>', page) == [
        "/static/site/book.js",
        "/static/site/photos.js",
    ]


def test_every_surface_is_built(built):
    for surface in settings.SURFACES.values():
        assert f"{surface['path']}index.html".lstrip("/") in built


def test_pages_load_nothing_from_elsewhere(built):
    for path, page in pages(built).items():
        for address in re.findall(r'(?:src|href|action)="([^"]*)"', page):
            assert re.match(r"/(?!/)|#|tel:|data:image/svg", address), (path, address)


def test_pages_have_no_inline_scripts_and_no_inline_styles(built):
    for path, page in pages(built).items():
        for script in re.findall(r"<script[^>]*>", page):
            assert "src=" in script or 'type="application/json"' in script, (path, script)
        assert not re.search(r'<[^>]+\s(style|on\w+)="', page), path


def test_scripts_know_no_status(built):
    others = jsmin((settings.BASE_DIR / VENDORED).read_text(), keep_bang_comments=True)
    for path, body in built.items():
        if path.endswith(".js") and "/vendor/" not in path:
            ours = body.decode().replace(others, "")
            for status in Status:
                assert not re.search(rf"\b{status.value}\b", ours), (path, status)


def test_track_page_keeps_its_address_to_itself(built):
    page = built["track/index.html"].decode()
    assert '<meta name="robots" content="noindex">' in page
    assert '<meta name="referrer" content="no-referrer">' in page
    assert '<form class="paste" action="/t/" method="get">' in page


@pytest.mark.parametrize("path", ["index.html", "book/index.html", "track/index.html"])
def test_card_shows_the_firm(built, path):
    card = dict(re.findall(r'<meta property="og:(\w+)" content="([^"]*)"', built[path].decode()))
    assert "Junk removal" in card["description"]
    assert card["image"].removeprefix(f"{settings.SITE_URL}/") in built
    assert "url" not in card


def test_static_booking_form_has_no_key(built):
    page = built["book/index.html"].decode()
    assert re.search(r'<input type="hidden" name="form_key"[^>]*>', page)
    assert not re.search(r'name="form_key"[^>]*value=', page)


def test_error_page_needs_no_other_file(built):
    page = built["404.html"]
    assert b"/assets/" not in page
    assert b'<link rel="stylesheet"' not in page
    assert b"<style>" in page
