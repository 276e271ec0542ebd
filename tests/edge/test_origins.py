"""Hosts that the local edge answers from a prefix, without the function."""

import pytest

from edge.backends import get_backend
from edge.origins import ORIGIN_KEY
from tests.edge.builders import PAGE, Machine, put

PREFIX = "live/production/"


@pytest.fixture
def machine(tmp_path):
    machine = Machine(tmp_path / "store")
    machine.route(keyvalues={f"{ORIGIN_KEY}localhost": PREFIX})
    put(machine.objects, f"{PREFIX}book/index.html", release="r1")
    return machine


def dropped(machine, *paths):
    """Report an invalidation to the edge."""
    machine.state = type(machine.state)(
        etag=machine.state.etag,
        invalidated=machine.state.invalidated + 1,
        keyvalues=machine.state.keyvalues,
        dropped=paths,
    )


def test_page_of_a_folder(machine):
    response = machine.ask("/book/")
    assert (response.status, response.body) == (200, PAGE)
    assert response.headers["x-amz-meta-release"] == "r1"


@pytest.mark.parametrize("path", ["/book/index.html", "/book/?x=1"])
def test_other_addresses_of_the_page(machine, path):
    assert machine.ask(path).body == PAGE


def test_folder_without_a_slash_redirects(machine):
    response = machine.ask("/book")
    assert (response.status, response.headers["location"]) == (302, "/book/")


def test_no_function_runs(machine):
    machine.route(keyvalues={f"{ORIGIN_KEY}localhost": PREFIX}, hosts={"localhost": "not a script"})
    assert machine.ask("/book/").status == 200


def test_page_stays_cached_until_it_is_dropped(machine):
    machine.ask("/book/")
    put(machine.objects, f"{PREFIX}book/index.html", b"new")
    assert machine.ask("/book/").body == PAGE
    dropped(machine, "/book/index.html")
    assert machine.ask("/book/").body == PAGE
    dropped(machine, "/book/")
    assert machine.ask("/book/").body == b"new"


def test_environments_do_not_share_a_cache(machine):
    other = "live/staging/"
    put(machine.objects, f"{other}book/index.html", b"staging")
    origins = {f"{ORIGIN_KEY}localhost": PREFIX, f"{ORIGIN_KEY}staging.localhost": other}
    machine.route(keyvalues=origins)
    assert machine.ask("/book/").body == PAGE
    assert machine.ask("/book/", host="staging.localhost:8000").body == b"staging"


def test_missing_page_is_the_environments_error_page(machine):
    assert machine.ask("/nowhere").status == 404
    put(machine.objects, f"{PREFIX}404.html", b"lost")
    response = machine.ask("/nowhere/")
    assert (response.status, response.body) == (404, b"lost")


@pytest.mark.parametrize("path", ["/../staging/x", "/%2e%2e/staging/x", "//x/", "/a%00b"])
def test_nothing_outside_the_prefix_is_served(machine, path):
    put(machine.objects, "live/staging/x", b"other")
    assert machine.ask(path).status == 404


@pytest.mark.django_db
def test_hosts_are_pointed_and_released():
    backend = get_backend()
    put(backend.objects, f"{PREFIX}index.html")
    backend.origins.point(["localhost", "WWW.Localhost"], PREFIX)
    assert backend.origins.prefix("www.localhost") == PREFIX
    assert backend.viewer.fetch("localhost", "/").body == PAGE
    backend.origins.point(["localhost", "www.localhost"], "")
    assert backend.origins.prefix("localhost") == ""
    assert backend.viewer.fetch("localhost", "/").status == 503
