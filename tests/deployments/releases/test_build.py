import base64
import hashlib
import re
from pathlib import Path

import pytest
import time_machine
from django.conf import settings as site_settings
from django.contrib.staticfiles import finders
from rjsmin import jsmin

from deployments.errors import Refused
from deployments.releases.build import build_surfaces
from deployments.releases.manifest import page_path
from deployments.releases.smoke_checks import SmokeCheck, parse_checks

pytestmark = pytest.mark.django_db


@pytest.fixture
def templates(settings, tmp_path):
    """Build a surface from a template that the test writes."""
    folder = tmp_path / "templates"
    folder.mkdir()
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": [folder]}]
    settings.SURFACES = {"home": {"path": "/", "template": "home.html"}}
    settings.ERROR_PAGE_TEMPLATE = "404.html"
    (folder / "404.html").write_text("gone")

    def write(text):
        (folder / "home.html").write_text("{% load assets %}" + text)
        return {f.artifact.path: f for f in build_surfaces()}

    return write


def test_builds_every_surface_and_the_error_page(settings):
    built = {file.artifact.path for file in build_surfaces()}
    assert {
        "index.html",
        "book/index.html",
        "es/index.html",
        "es/book/index.html",
        "track/index.html",
        "dashboard/index.html",
        "404.html",
    } <= built


def test_scripts_of_a_page_are_one_file_named_by_its_content(templates):
    built = templates('{% scripts "site/track.js" "site/book.js" %}')
    (path,) = re.findall(r'src="/([^"]+)"', built["index.html"].body.decode())
    body = built[path].body
    assert re.fullmatch(r"assets/site/track\.[0-9a-f]{12}\.js", path)
    assert hashlib.sha256(body).hexdigest()[:12] in path
    scripts = [Path(finders.find(f"site/{name}.js")) for name in ("track", "book", "preview")]
    minified = [jsmin(script.read_text()) for script in scripts]
    assert [body.decode().find(script) for script in minified] == sorted(
        body.decode().index(script) for script in minified
    )


def test_timed_page_begins_with_the_beacon(templates, settings):
    settings.TIMINGS_PERCENT = 25
    page = templates('{% scripts "site/book.js" timed="book" %}')["index.html"].body.decode()
    assert re.search(r'site/beacon\.\w{12}\.js" defer data-surface="book" data-rate="0.25">', page)


def test_page_without_timings_has_no_beacon(templates, settings):
    settings.TIMINGS_PERCENT = 0
    page = templates('{% scripts "site/book.js" timed="book" %}')["index.html"].body.decode()
    assert re.search(r'site/book\.\w{12}\.js" defer></script>', page)


def test_page_without_scripts_has_the_banner(templates):
    built = templates("{% scripts %}")
    page = built["index.html"].body
    assert re.search(rb'src="/assets/site/preview\.[0-9a-f]{12}\.js" defer', page)


def test_every_asset_a_page_refers_to_is_in_the_release():
    built = {file.artifact.path: file.body for file in build_surfaces()}
    referred = {
        path
        for name, body in built.items()
        if name.endswith(".html")
        for path in re.findall(r'(?:src|href)="/(assets/[^"]+)"', body.decode())
    }
    assert referred
    assert referred <= set(built)


def test_smoke_checks_pass_on_the_built_pages():
    built = {file.artifact.path: file.body for file in build_surfaces()}
    checks = parse_checks(built["checks.json"])
    assert {check.path for check in checks} == {
        surface["path"] for surface in site_settings.SURFACES.values()
    }
    for check in checks:
        assert check.text.encode() in built[page_path(check.path)]


def test_smoke_checks_are_part_of_the_release_if_there_are_any(templates, settings):
    assert "checks.json" not in templates("x")
    settings.SURFACES["home"]["checks"] = ["x", "y"]
    assert parse_checks(templates("x")["checks.json"].body) == (
        SmokeCheck("/", text="x"),
        SmokeCheck("/", text="y"),
    )


def test_refuses_invalid_smoke_checks(templates, settings):
    settings.SURFACES["home"]["checks"] = [5]
    with pytest.raises(Refused) as refused:
        templates("x")
    assert refused.value.code == "checks-invalid"


def test_same_content_has_the_same_bytes_at_any_time():
    first = build_surfaces()
    with time_machine.travel("2027-03-01"):
        assert [f.artifact for f in build_surfaces()] == [f.artifact for f in first]


def test_asset_names_carry_the_hash_of_their_content(templates):
    built = templates('<script src="{% asset "site/track.js" %}"></script>')
    name = re.search(rb'src="/(assets/site/track\.[0-9a-f]{12}\.js)"', built["index.html"].body)
    assert name[1].decode() in built


def test_inline_stylesheet_is_admitted_by_its_hash(templates):
    page = templates('{% stylesheet "site/site.css" %}')["index.html"].body.decode()
    style = re.search(r"<style>(.*)</style>", page, re.DOTALL)[1]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"style-src &#x27;sha256-{digest}&#x27;" in page or f"'sha256-{digest}'" in page


def test_refuses_a_page_that_refers_to_a_missing_asset(templates):
    with pytest.raises(Refused) as refused:
        templates('{% asset "site/nowhere.js" %}')
    assert refused.value.code == "asset-missing"


def test_server_rendered_pages_use_static_files(client):
    page = client.get("/book/request/").content.decode()
    assert "/static/site/site" in page
    assert "/assets/" not in page
