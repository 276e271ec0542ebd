"""A page that stays open finds its scripts after others went live."""

import pytest

from deployments.retention.prune import PruneRun, prune
from tests.sites.built import HASHING, BuiltSite
from tests.sites.conftest import HOST, each
from tests.sites.variants import files_of, mark_of, shared_code, variant, write

# Made by hand: what matters is how SvelteKit names its files.
SVELTEKIT = BuiltSite("sveltekit", {"/": "index.html"}, lazy="_app/immutable/chunks/")
SVELTEKIT_FILES = {
    "index.html": b'<script type="module" src="/_app/immutable/entry/start.DzRPl0Fb.js"></script>',
    "_app/immutable/entry/start.DzRPl0Fb.js": b'import("../chunks/CWj6FrbW.js")',
    "_app/immutable/chunks/CWj6FrbW.js": b"export const price = 40",
    "_app/version.json": b'{"version": "1767225600"}',
}


@pytest.mark.parametrize("site", each([*HASHING, SVELTEKIT]))
def test_lazy_chunk_is_there_after_two_more_releases(site, backend, pushed, tmp_path, settings):
    settings.PRUNE_KEEP_NEWEST = 1
    built = SVELTEKIT_FILES if site is SVELTEKIT else files_of(site.name)
    first, *later = [variant(built, mark) for mark in "ABC"]
    lazy = [path for path in shared_code(first) if path.startswith(site.lazy)]
    for number, files in enumerate([first, *later]):
        pushed(backend, site, write(files, tmp_path / str(number)))
        prune(PruneRun(backend, actor="olga", say=lambda line: None))
    assert mark_of(backend.viewer.fetch(HOST, "/").body) == "C"
    assert lazy
    for path in lazy:
        answer = backend.viewer.fetch(HOST, f"/{path}")
        assert (answer.status, answer.body) == (200, first[path])
        assert all(path not in files for files in later)
