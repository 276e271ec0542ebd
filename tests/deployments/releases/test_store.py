"""Releases in the object store: manifests and objects are what was pushed, or refused."""

import time

import pytest

from deployments.errors import Refused
from deployments.releases.store import (
    check_whole,
    concurrently,
    find_manifest,
    read_manifest,
    read_named_manifest,
)


@pytest.fixture
def overwrite(backend):
    """Overwrite an object, keeping its metadata except for the changes."""

    def overwrite(key, body=None, **changes):
        before = backend.objects.get(key)
        headers = {
            name: getattr(before.info, name)
            for name in ("content_type", "cache_control", "metadata")
        }
        backend.objects.put(key, body or before.body, **headers | changes)

    return overwrite


def fault(call, *args):
    with pytest.raises(Refused) as refused:
        call(*args)
    assert refused.value.code == "objects-gone"
    return refused.value.message


def test_manifest_is_read_by_row_and_by_name(operator, backend):
    release = operator.release()
    manifest = read_manifest(backend.objects, release)
    assert (manifest.digest, len(manifest)) == (release.digest, release.files)
    assert read_named_manifest(backend.objects, release.name) == manifest
    assert find_manifest(backend.objects, release) == manifest
    check_whole(backend.objects, release)


def test_missing_manifest_is_refused(operator, backend):
    release = operator.release()
    backend.objects.delete([release.key("manifest.json")])
    assert "manifest.json is missing" in fault(read_manifest, backend.objects, release)
    assert "manifest.json is missing" in fault(check_whole, backend.objects, release)
    assert find_manifest(backend.objects, release) is None


@pytest.mark.parametrize("body", [b"[]", b"{}", b"\xff"])
def test_damaged_manifest_is_refused(operator, backend, overwrite, body):
    release = operator.release()
    overwrite(release.key("manifest.json"), body)
    assert "is not what was pushed" in fault(read_manifest, backend.objects, release)
    assert "is not what was pushed" in fault(read_named_manifest, backend.objects, release.name)
    assert find_manifest(backend.objects, release) is None


@pytest.mark.parametrize(
    "changes",
    [{"body": b"x"}, {"metadata": {}}, {"content_type": "text/plain"}],
    ids=["size", "metadata", "header"],
)
def test_overwritten_page_is_refused(operator, backend, overwrite, changes):
    release = operator.release()
    overwrite(release.key("book/index.html"), **changes)
    message = fault(check_whole, backend.objects, release)
    assert "book/index.html is not what was pushed" in message


def test_results_are_in_the_order_of_the_items():
    assert concurrently(str, range(100)) == [str(number) for number in range(100)]


def test_first_error_cancels_the_rest():
    done = []

    def work(number):
        if number == 0:
            raise OSError("first")
        time.sleep(0.05)
        done.append(number)

    with pytest.raises(OSError, match="first"):
        concurrently(work, range(2_000))
    assert len(done) < 1_000
