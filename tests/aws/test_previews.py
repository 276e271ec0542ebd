"""Previews and maintenance over the stand-in for AWS."""

import json
from io import StringIO

import pytest
from django.core.management import call_command

from edge.backends import get_backend
from tests.deployments.sites import write_site

pytestmark = pytest.mark.django_db
FLAGS = ("--environment", "production", "--yes")


def run(*arguments):
    out = StringIO()
    call_command(*arguments, "--json", stdout=out)
    return json.loads(out.getvalue())


@pytest.fixture
def releases(aws, tmp_path):
    """A is live in production; B was pushed and no more."""
    live = run("push", "--source", str(write_site(tmp_path / "A", mark="A")))
    run("promote", "--yes")
    other = run("push", "--source", str(write_site(tmp_path / "B", mark="B")), "--no-deploy")
    return live["release"], other["release"]


def fetch(path, cookie=""):
    return get_backend().viewer.fetch("localhost", path, cookie=cookie)


def test_preview_goes_through_maintenance(releases):
    live, other = releases
    assert fetch("/").headers["x-amz-meta-release"] == live
    run("maintenance", "on", "--message", "Back at 6 \u2603", *FLAGS)
    assert (fetch("/").status, "Back at 6 \u2603" in fetch("/").body.decode()) == (503, True)
    link = run("preview", other)["url"]
    assert link.startswith("http")
    ticket = link.partition("/?release=")[2]
    answer = fetch(f"/?release={ticket}")
    assert (answer.status, answer.headers["location"]) == (302, "/")
    previewed = fetch("/", f"qdn_release={ticket}")
    assert (previewed.status, previewed.headers["x-amz-meta-release"]) == (200, other)
    run("maintenance", "off", *FLAGS)
    assert fetch("/").headers["x-amz-meta-release"] == live


def test_maintenance_before_the_first_deployment_leaves_nothing_behind(aws):
    store = get_backend().keyvalues
    run("maintenance", "on", *FLAGS)
    assert {"env:production", "host:localhost"} <= set(store.items())
    run("maintenance", "off", *FLAGS)
    assert set(store.items()) == {"preview"}
