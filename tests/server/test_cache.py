"""A cache of others in front of the edge, which cannot be invalidated, keeps nothing too long."""

import pytest

from tests.deployments.sites import write_site
from tests.server.nginx import cache
from tests.server.servers import fetch, gunicorn, wait_until
from tests.test_processes import Installation

PAGES = ["/", "/book/", "/dashboard/", "/track/abcdefghijklmnopqrstuv", "/no-such-page/"]
SWITCHES = 4


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """Return an installation with a release, and the ports of its edge and of a cache."""
    installation = Installation(tmp_path_factory.mktemp("cached"))
    installation.push("A")
    installation.json("promote", "--yes")
    environ = installation.environ | {"DEBUG": "true", "PYTHONWARNINGS": "default"}
    with (
        gunicorn(environ, "--workers=1") as edge,
        cache(tmp_path_factory.mktemp("cache"), edge.port) as port,
    ):
        yield installation, edge.port, port


def release_at(port, path):
    return fetch(port, path).headers["X-Amz-Meta-Release"]


def test_no_old_release_after_a_switch(served):
    installation, edge, cached = served
    guarded = installation.push("B")
    for number in range(SWITCHES):
        for path in PAGES:
            fetch(cached, path)
        if number % 2:
            release = installation.json("rollback", "--yes")["release"]
        else:
            installation.manage("unfreeze", "--release", guarded, "--yes")
            release = installation.json("promote", "--yes")["release"]
        wait_until(lambda now=release: release_at(edge, "/") == now, "the switch")
        for path in PAGES[:-1]:
            assert release_at(cached, path) == release, path


def test_page_of_a_new_release_is_found_though_it_was_asked_for_before(served):
    installation, _, cached = served
    assert fetch(cached, "/more/0.txt").status == 404
    source = write_site(installation.folder / "site-C", mark="C", extra=1)
    installation.json("push", "--source", str(source))
    installation.json("promote", "--yes")
    wait_until(lambda: fetch(cached, "/more/0.txt").status == 200, "the end of a cached 404")


def test_tracking_document_is_found_though_it_was_asked_for_before(served):
    installation, _, cached = served
    who = ["--name=Ann Birch", "--phone=907-555-0155"]
    job = installation.json("create_job", *who, "--address=12 Chena Ridge Road, Fairbanks, 99709")
    path = f"/track/{job['token']}.json"
    if fetch(cached, path).status == 404:
        assert installation.manage("publish_tracking").returncode == 0
    wait_until(lambda: fetch(cached, path).status == 200, "the end of a cached 404")


def test_assets_are_cached(served):
    """Otherwise the tests above could pass because nothing is."""
    _, _, cached = served
    path = "/assets/site.0123456789ab.css"
    assert fetch(cached, path).status == 200
    assert fetch(cached, path).headers["X-Cache-Status"] == "HIT"
