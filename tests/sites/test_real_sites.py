"""Sites as their generators write them: every file is served, byte for byte."""

import time
from urllib.parse import quote

import pytest

from deployments.releases.manifest import SITE
from deployments.releases.store import read_manifest
from edge.backends import get_backend
from edge.functions.shipped import function_source
from edge.runtime.event import viewer_event
from edge.runtime.njs import NjsRun, njs_command, run_in_njs
from tests.sites.conftest import HOST, each
from tests.sites.variants import NOT_SERVED, files_of

needs_njs = pytest.mark.skipif(
    njs_command() is None, reason="the njs command is not installed; Debian's package is `njs`"
)


@pytest.fixture(params=["local", "aws"])
def each_backend(request, backend):
    if request.param == "aws":
        request.getfixturevalue("aws")
        return get_backend()
    return backend


def fetched(backend, path):
    """Return the status and the bytes of an address."""
    answer = backend.viewer.fetch(HOST, quote(path))
    return answer.status, answer.body


@pytest.mark.parametrize("site", each())
def test_every_file_is_served_as_it_was_built(site, each_backend, pushed):
    pushed(each_backend, site)
    files = files_of(site.name)
    served = {path: body for path, body in files.items() if path not in NOT_SERVED}
    seen = {path: fetched(each_backend, f"/{path}") for path in served}
    assert {path for path in served if seen[path] != (200, served[path])} == set()
    for address, path in site.pages.items():
        assert fetched(each_backend, address) == (200, files[path]), address
    status = 200 if site.is_single_page else 404
    assert fetched(each_backend, "/no/such/page/") == (status, files[site.missing])


@needs_njs
@pytest.mark.njs
@pytest.mark.parametrize("site", each())
def test_njs_leads_every_address_to_its_object(site, backend, pushed):
    release = pushed(backend, site)
    manifest = read_manifest(backend.objects, release)
    assert set(manifest.by_path) - {SITE} == set(files_of(site.name)) - NOT_SERVED
    wanted = {f"/{path}": path for path in manifest.by_path if path != SITE} | site.pages
    store = backend.keyvalues.items()
    runs = [
        NjsRun(viewer_event(uri=quote(address), headers={"host": HOST}), store, now=time.time())
        for address in wanted
    ]
    keys = {
        address: result.output.get("uri")
        for address, result in zip(wanted, run_in_njs(function_source(), runs), strict=True)
    }
    assert keys == {
        address: f"/{manifest.by_path[path].key(release.name)}" for address, path in wanted.items()
    }
