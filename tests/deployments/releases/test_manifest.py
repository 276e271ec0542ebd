from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deployments.errors import Refused
from deployments.releases.manifest import Artifact, Manifest, from_bytes

paths = st.lists(st.from_regex(r"[a-z]{1,8}(/[a-z]{1,8})?\.html", fullmatch=True), unique=True)


def manifest(*names, body=b"x"):
    return Manifest.of(from_bytes(name, body).artifact for name in names)


def test_names_a_release_by_time_and_digest():
    made = manifest("index.html")
    name = made.release_name(datetime(2026, 11, 20, 14, 5, 9, tzinfo=UTC))
    assert name == f"20261120-140509-{made.digest[:8]}"


@given(paths)
def test_order_of_files_does_not_matter(names):
    assert manifest(*names).digest == manifest(*reversed(names)).digest


@given(paths)
def test_survives_its_own_json(names):
    made = manifest(*names)
    assert Manifest.from_json(made.body) == made


def test_a_changed_header_is_another_manifest():
    first = from_bytes("index.html", b"x").artifact
    second = Artifact(first.path, first.sha256, first.size, first.content_type, "no-cache")
    assert Manifest.of([first]).digest != Manifest.of([second]).digest


def test_finds_the_pages_of_surfaces():
    pages = manifest("index.html", "book/index.html").pages(
        {"home": "/", "book": "/book/", "track": "/track/"}
    )
    assert {name: page["path"] for name, page in pages.items()} == {
        "home": "index.html",
        "book": "book/index.html",
    }


def test_refuses_its_own_name():
    with pytest.raises(Refused) as refused:
        manifest("index.html", "manifest.json")
    assert refused.value.code == "manifest-name-taken"


def test_refuses_a_path_twice():
    with pytest.raises(Refused) as refused:
        manifest("index.html", "index.html")
    assert refused.value.code == "path-twice"


@pytest.mark.parametrize("body", [b"", b"null", b'{"name": "a web app"}', b"[1]", b'[["path"]]'])
def test_refuses_json_of_another_shape(body):
    with pytest.raises(ValueError, match=r"."):
        Manifest.from_json(body)
