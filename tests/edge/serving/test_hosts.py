"""Names by which viewers reach a host."""

import json

import pytest

from edge.origins import ORIGIN_KEY
from edge.serving.hosts import read_host
from tests.edge.builders import PAGE, RELEASE, Machine, put


@pytest.fixture
def machine(tmp_path):
    machine = Machine(tmp_path / "store")
    put(machine.objects, f"releases/{RELEASE}/index.html")
    return machine


@pytest.mark.parametrize(
    "host", ["localhost.", "localhost.:8000", "LocalHost", "[::1]", "[::1]:8000", "localhost:8000"]
)
def test_other_names_of_this_machine(machine, host):
    response = machine.ask("/", host=host)
    assert (response.status, response.body) == (200, PAGE)


def test_complete_name_of_a_routed_host(machine):
    document = json.dumps({"e": "production", "r": RELEASE})
    machine.route(keyvalues={"host:www.example.com": document})
    assert machine.ask("/", host="www.example.com.").status == 200


def test_function_and_origin_go_by_the_same_name(machine):
    machine.route(hosts={"localhost": "function handler(event) { return { statusCode: 204 }; }"})
    assert machine.ask("/", host="[::1]").status == 204
    put(machine.objects, "live/production/index.html", b"copied")
    machine.route(keyvalues={f"{ORIGIN_KEY}localhost": "live/production/"})
    assert machine.ask("/", host="localhost.").body == b"copied"


@pytest.mark.parametrize(
    ("header", "read"),
    [
        ("a.example", ("a.example", "a.example")),
        ("A.example:80", ("a.example:80", "a.example")),
        ("a.example.:80", ("a.example:80", "a.example")),
        ("[2001:db8::1]", ("[2001:db8::1]", "[2001:db8::1]")),
        ("[2001:DB8::1]:80", ("[2001:db8::1]:80", "[2001:db8::1]")),
        ("a..", ("a.", "a.")),
        (".", ("", "")),
        ("", ("", "")),
        (":", (":", "")),
    ],
)
def test_host_header(header, read):
    assert read_host(header) == read


@pytest.mark.parametrize("host", ["localhost..", ".localhost", "localhost.evil.example", "::1"])
def test_similar_names_are_not_this_machine(machine, host):
    assert machine.ask("/", host=host).status == 503
