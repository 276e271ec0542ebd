"""Making releases: what a push asks the store, what it writes, and how it resumes."""

import json

import pytest
from django.utils import timezone

from deployments import audit
from deployments.errors import PartlyChanged, Refused
from deployments.models import Environment, Release
from deployments.releases import inventory
from deployments.releases.manifest import Manifest, content_type_for, from_bytes
from deployments.releases.store import read_manifest
from deployments.releases.upload import make_release
from deployments.releases.upload_plan import plan_of, plan_release
from edge.errors import BackendUnavailable, ObjectMissing
from tests.deployments.doubles import Counting, FaultPoint, Killed
from tests.deployments.sites import PAGES, files_of, write_site

ASSET = "assets/site.0123456789ab.css"
# 5 pages, 20 more documents, 1 asset
EXTRA, FILES = 20, 26


class Watching(Counting):
    """Counts calls, and keeps the objects written."""

    def __init__(self, real):
        super().__init__(real)
        self.written = []

    def put_all(self, objects, *, on_stored):
        self._real.put_all(self._recorded(objects), on_stored=on_stored)

    def _recorded(self, objects):
        for new in objects:
            self.written.append(new)
            yield new

    @property
    def copied(self):
        return sorted(new.key.split("/", 2)[2] for new in self.written if new.copy_of)

    @property
    def uploaded(self):
        return sorted(new.key for new in self.written if not new.copy_of)


@pytest.fixture
def watched(operator, backend, replaced):
    """Watch the operator's store from now on."""

    def watch():
        operator.backend = replaced(objects=Watching(backend.objects))
        return operator.backend.objects

    return watch


def plan(backend, folder, environment="staging", **options):
    found = Environment.objects.get(name=environment)
    files = files_of(folder)
    return plan_release(objects=backend.objects, files=files, environment=found, **options)


def make(backend, plan):
    return make_release(
        objects=backend.objects, plan=plan, message="", actor="olga", say=lambda line: None
    )


def test_first_push_uploads_everything(operator, watched):
    store = watched()
    operator.push("A", extra=EXTRA)
    assert len(store.uploaded) == FILES
    assert store.copied == []


def test_repeated_push_writes_nothing_and_lists_nothing(operator, watched, staging):
    operator.push("A", extra=EXTRA)
    store = watched()
    assert operator.release("A", extra=EXTRA) == staging.live.release
    assert store.written == []
    # The manifest and the four pages, as before a deployment.
    assert store.calls == {"head": 5}


def test_unchanged_documents_are_copied_and_the_changed_ones_uploaded(
    operator, watched, tmp_path, backend
):
    before = operator.push("A", extra=EXTRA)
    site = write_site(tmp_path / "changed", mark="A", extra=EXTRA)
    (site / "index.html").write_text("<!doctype html>new")
    (site / "assets/new.0123456789ab.js").write_text("new")
    store = watched()
    release = make(operator.backend, plan(operator.backend, site))
    assert store.uploaded == ["assets/new.0123456789ab.js", release.key("index.html")]
    assert len(store.copied) == EXTRA + len(PAGES) - 1
    # The manifest of the previous release, and the one asset it does not name.
    assert (store.calls["get"], store.calls["head"], store.calls["list"]) == (1, 1, 0)
    copied = backend.objects.head(release.key("more/1.txt"))
    assert copied.metadata["release"] == release.name != before.name


def test_moved_or_retyped_documents_are_copied_too(operator, watched, tmp_path, backend):
    operator.push("A", extra=EXTRA)
    site = write_site(tmp_path / "moved", mark="A", extra=EXTRA)
    (site / "more/1.txt").rename(site / "more/moved.html")
    store = watched()
    release = make(operator.backend, plan(operator.backend, site))
    assert "more/moved.html" in store.copied
    assert backend.objects.head(release.key("more/moved.html")).content_type == content_type_for(
        "a.html"
    )


def test_document_missing_from_the_live_release_is_uploaded(operator, backend, tmp_path):
    live = operator.push("A", extra=EXTRA)
    site = write_site(tmp_path / "changed", mark="A", extra=EXTRA)
    (site / "index.html").write_text("<!doctype html>new")
    backend.objects.delete([live.key("more/1.txt")])
    release = make(backend, plan(backend, site))
    assert backend.objects.get(release.key("more/1.txt")).body == b"A 1"


def test_many_unknown_assets_are_found_by_listing(operator, watched, monkeypatch):
    operator.release("A")
    Release.objects.update(completed_at=None)  # so that nothing vouches for its asset
    monkeypatch.setattr(inventory, "HEADS_AT_MOST", 0)
    store = watched()
    operator.release("B")
    # Once for the plan, once before the manifest is written.
    assert (store.calls["list"], ASSET in store.uploaded) == (2, False)


@pytest.mark.parametrize("named", [True, False], ids=["by a manifest", "in the store alone"])
def test_asset_with_other_content_is_refused(operator, backend, tmp_path, named):
    operator.release("A")
    if not named:
        Release.objects.update(completed_at=None)
    site = write_site(tmp_path / "other", mark="B")
    (site / ASSET).write_text("body{color:red}")
    with pytest.raises(Refused) as refused:
        plan(backend, site)
    assert refused.value.code == "asset-conflict"


def test_release_marked_for_removal_vouches_for_nothing(operator, watched):
    operator.release("A")
    Release.objects.update(marked_at=timezone.now())
    store = watched()
    operator.release("B")
    # Once for the plan, once before the manifest is written.
    assert store.calls["head"] == 2
    assert store.uploaded.count(ASSET) == 0


def test_assets_of_a_release_removed_during_the_push_are_checked_again(operator, backend, tmp_path):
    operator.push("A")
    planned = plan(backend, write_site(tmp_path / "B", mark="B"))
    Release.objects.update(removed_at=timezone.now())
    backend.objects.delete([ASSET])
    with pytest.raises(
        PartlyChanged, match=r"1 stored file disappeared during the push, first assets/site"
    ):
        make(backend, planned)
    release = make(backend, plan(backend, tmp_path / "B"))
    assert release.completed_at
    assert backend.objects.head(ASSET)


def test_interrupted_push_resumes_where_it_stopped(operator, backend, replaced, watched):
    fault = FaultPoint(15, Killed())
    operator.backend = replaced(objects=fault.before(backend.objects))
    with pytest.raises(Killed):
        operator.release("A", extra=EXTRA)
    there = {found.key for found in backend.objects.list("")}
    assert 5 < len(there) < FILES
    store = watched()
    release = operator.release("A", extra=EXTRA)
    assert release.completed_at
    assert len(store.uploaded) == FILES - len(there)
    assert not there.intersection(store.uploaded)


def test_file_that_changes_while_it_is_pushed_is_not_stored(operator, backend, tmp_path):
    site = write_site(tmp_path / "site", mark="A")
    planned = plan(backend, site)
    (site / "index.html").write_text("something else")
    with pytest.raises(PartlyChanged) as failed:
        make(backend, planned)
    assert failed.value.code == "source-changed"
    assert "index.html" in failed.value.message
    assert not Release.objects.complete().exists()


def test_push_interrupted_by_hand_says_how_to_resume(operator, backend, replaced):
    fault = FaultPoint(8, KeyboardInterrupt())
    operator.backend = replaced(objects=fault.before(backend.objects))
    with pytest.raises(PartlyChanged) as failed:
        operator.release("A")
    assert failed.value.code == "upload-failed"
    assert failed.value.message.endswith("did not finish: interrupted.")
    assert "Run the same push again" in failed.value.hint


def test_failing_store_says_how_to_resume(operator, backend, replaced):
    fault = FaultPoint(8, BackendUnavailable("503 SlowDown", "Wait."))
    operator.backend = replaced(objects=fault.before(backend.objects))
    with pytest.raises(PartlyChanged) as failed:
        operator.release("A")
    assert failed.value.code == "upload-failed"
    assert "503 SlowDown" in failed.value.message


@pytest.mark.parametrize("path", ["more/1.txt", ASSET])
def test_repair_checks_every_object(operator, backend, path):
    release = operator.push("A", extra=EXTRA)
    key = path if path == ASSET else release.key(path)
    body = backend.objects.get(key).body
    backend.objects.delete([key])
    operator.release("A", extra=EXTRA)
    assert backend.objects.head(key) is None  # its manifest is trusted
    operator.release("A", extra=EXTRA, repair=True)
    assert backend.objects.get(key).body == body


def test_release_is_composed_from_other_releases(operator, backend):
    releases = [operator.release(mark, extra=EXTRA) for mark in "AB"]
    manifests = [read_manifest(backend.objects, release) for release in releases]
    mixed = [a for a in manifests[0] if a.path != "book/index.html"]
    mixed.append(manifests[1].by_path["book/index.html"])
    manifest = Manifest.of(mixed)
    planned = plan_of(objects=backend.objects, manifest=manifest, sources=releases)
    assert (len(planned.copies), planned.uploads) == (FILES - 1, [])
    made = make(backend, planned)
    assert b"<title>A" in backend.objects.get(made.key("index.html")).body
    assert b"<title>B" in backend.objects.get(made.key("book/index.html")).body


def test_refuses_an_artifact_found_nowhere(operator, backend):
    release = operator.release("A", extra=EXTRA)
    manifest = read_manifest(backend.objects, release)
    more = Manifest.of([*manifest, from_bytes("extra.txt", b"x").artifact])
    for gone in ("extra.txt", "more/1.txt"):
        with pytest.raises(Refused) as refused:
            plan_of(objects=backend.objects, manifest=more, sources=[release])
        assert refused.value.code == "artifact-gone"
        assert gone in refused.value.message
        more = Manifest.of(a for a in more if a.path not in {"extra.txt", "404.html"})
        backend.objects.delete([release.key("more/1.txt")])


def test_progress_reports_every_object(operator, backend, tmp_path):
    sizes = []
    planned = plan(backend, write_site(tmp_path / "site", mark="A"))
    make_release(
        objects=backend.objects,
        plan=planned,
        message="",
        actor="olga",
        say=lambda line: None,
        on_stored=lambda new: sizes.append(new.size),
    )
    assert sum(sizes) == planned.manifest.total_bytes


def test_refuses_a_folder_without_pages(operator, backend, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty/a.txt").write_text("a")
    with pytest.raises(Refused) as refused:
        plan(backend, tmp_path / "empty")
    assert refused.value.code == "no-page"


def test_missing_manifest_is_written_again(operator, backend):
    release = operator.release("A")
    backend.objects.delete([release.key("manifest.json")])
    with pytest.raises(ObjectMissing):
        backend.objects.get(release.key("manifest.json"))
    operator.release("A")
    assert read_manifest(backend.objects, release)


def test_damaged_release_does_not_vouch_for_itself(operator, backend, monkeypatch):
    """With many assets the manifests of the latest releases are read, but not its own."""
    monkeypatch.setattr(inventory, "HEADS_AT_MOST", 0)
    release = operator.push("A")
    page = release.key("book/index.html")
    backend.objects.delete([page])
    operator.release("A")
    assert backend.objects.head(page)


@pytest.mark.parametrize("metadata", [{}, "kept"])
def test_repair_restores_an_overwritten_asset(operator, backend, metadata):
    operator.push("A")
    before = backend.objects.get(ASSET)
    backend.objects.put(
        ASSET,
        b"short",
        content_type=before.info.content_type,
        cache_control=before.info.cache_control,
        metadata=before.info.metadata if metadata == "kept" else metadata,
    )
    operator.release("A", repair=True)
    assert backend.objects.get(ASSET) == before


def test_repair_never_overwrites_an_asset_of_another_push(operator, backend, tmp_path):
    operator.push("A")
    site = write_site(tmp_path / "other", mark="B")
    (site / ASSET).write_text("longer than it was before")
    with pytest.raises(Refused) as refused:
        plan(backend, site, repair=True)
    assert refused.value.code == "asset-conflict"


def test_page_of_a_surface_added_later_is_found_by_the_same_push(
    operator, backend, settings, watched
):
    surfaces = settings.SURFACES
    settings.SURFACES = {name: one for name, one in surfaces.items() if name != "book"}
    before = operator.push("A")
    settings.SURFACES = surfaces
    store = watched()
    release = operator.release("A")
    assert (release, store.written) == (before, [])
    assert "book" in release.pages
    audited = json.loads(backend.objects.get(audit.release_key(release.name)).body)
    assert audited["pages"] == release.pages
