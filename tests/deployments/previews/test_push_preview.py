"""Branch previews: push, move, remove, expire; what a deployment leaves alone."""

from datetime import timedelta

import pytest

from deployments.errors import ChangedMeanwhile, Refused
from deployments.models import BranchPreview, Release
from deployments.previews import expire_previews, push_preview, remove_preview
from deployments.retention.needs import serving
from deployments.routing.branch_previews import differing_keys, settle
from edge.backends.local.rows import RowKeyValueStore
from edge.database_clock import database_now
from edge.errors import StaleEtag

HOST = "feature-login.preview.localhost"


def branches():
    return [one.branch for one in BranchPreview.objects.all()]


def age(branch, **ago):
    """Date the last push of a branch back."""
    BranchPreview.objects.filter(branch=branch).update(pushed_at=database_now() - timedelta(**ago))


def preview_keys(backend):
    return {key for key in backend.keyvalues.items() if key.endswith(".preview.localhost")}


def test_a_branch_has_an_address_that_the_next_push_moves(preview, operator):
    first = preview(mark="A", commit="abcdef1")
    assert first.url == f"http://{HOST}:8000/"
    assert operator.served(HOST) == operator.served(HOST, "/book/") == first.release.name
    assert first.release.branch == "feature/login"
    second = preview(mark="B")
    assert (second.url, second.release != first.release) == (first.url, True)
    assert operator.served(HOST) == second.release.name
    assert operator.served("staging.localhost") is None
    row = BranchPreview.objects.get()
    assert (row.release, row.actor, row.commit) == (second.release, "olga", "")


def test_a_deployment_leaves_previews_alone(preview, operator):
    shown = preview().release.name
    live = operator.push("C").name
    operator.promote()
    assert operator.served("staging.localhost") == live
    assert operator.served(HOST) == shown


def test_a_preview_has_the_protection_of_its_environment_and_not_its_canonical_host(
    preview, staging, backend
):
    staging.access, staging.canonical = "previews", "staging.localhost"
    staging.save()
    preview()
    assert backend.viewer.fetch(HOST, "/").status == 401
    staging.access = "open"
    staging.save()
    assert differing_keys(backend.keyvalues.items())
    settle(backend)
    assert backend.viewer.fetch(HOST, "/").status == 200


def test_a_dry_run_says_the_address_and_changes_nothing(preview, backend):
    planned = preview(dry_run=True)
    assert (planned.release, planned.slug) == (None, "feature-login")
    assert not Release.objects.exists()
    assert not BranchPreview.objects.exists()
    assert preview_keys(backend) == set()


def test_a_removed_preview_answers_nothing_and_another_branch_stays(
    preview, operator, backend, caller
):
    preview("one")
    preview("two", mark="B")
    remove_preview(backend, "one", caller)
    assert (branches(), preview_keys(backend)) == (["two"], {"host:two.preview.localhost"})
    assert operator.served("one.preview.localhost") is None
    with pytest.raises(Refused, match="No preview shows a branch called 'one'"):
        remove_preview(backend, "one", caller)


def test_each_push_removes_what_is_old_and_too_many(preview, backend, caller, settings):
    settings.PREVIEW_DAYS, settings.PREVIEWS_AT_MOST = 14, 2
    for name in ("old", "first", "second"):
        preview(name)
        age(name, days={"old": 15, "first": 3, "second": 2}[name])
    preview("third")
    assert branches() == ["third", "second"]
    assert len(preview_keys(backend)) == 2
    age("second", days=13, hours=23)
    assert expire_previews(backend, caller) == []


def test_two_branches_with_one_slug_have_two_addresses(preview, operator):
    one, two = preview("feature/login"), preview("feature_login", mark="B")
    assert one.slug == "feature-login"
    assert two.slug.startswith("feature-login-")
    assert preview("feature_login", mark="C").slug == two.slug
    assert operator.served(HOST) == one.release.name


def test_an_address_of_an_environment_is_not_taken(preview, staging):
    staging.hosts = [*staging.hosts, HOST]
    staging.save()
    assert preview().slug.startswith("feature-login-")


@pytest.mark.parametrize("branch", ["", " ", "a\0b", "x" * 300, "two\nlines", "\udc80"])
def test_what_is_no_branch_is_refused_before_anything_is_stored(preview, backend, branch):
    with pytest.raises(Refused) as refused:
        preview(branch)
    assert refused.value.code == "branch-invalid"
    assert (Release.objects.count(), preview_keys(backend)) == (0, set())


def test_an_environment_by_copy_shows_no_branch(preview, staging):
    staging.strategy = "copy"
    with pytest.raises(Refused) as refused:
        preview()
    assert refused.value.code == "no-function"


@pytest.mark.parametrize("name", ["PREVIEW_DAYS", "PREVIEWS_AT_MOST"])
def test_a_limit_out_of_range_is_refused(preview, settings, name):
    setattr(settings, name, 0)
    with pytest.raises(Refused, match=f"{name} is 0; expected 1 to"):
        preview()


def test_a_site_with_its_own_layout_has_its_site_document(backend, staging, caller, tmp_path):
    for path in ("index.html", "about.html", "team.html"):
        (tmp_path / path).write_text(f"<title>{path}</title>")
    (tmp_path / "_redirects").write_text("/old /about\n")
    push_preview(backend, staging, branch="docs", caller=caller, source=tmp_path)
    fetch = backend.viewer.fetch
    assert fetch("docs.preview.localhost", "/about").body == b"<title>about.html</title>"
    assert fetch("docs.preview.localhost", "/old").headers["location"] == "/about"


def test_retention_keeps_what_a_preview_shows_even_if_its_key_is_lost(preview, backend):
    shown = preview().release
    assert "feature/login" in serving(backend)[shown.name]
    BranchPreview.objects.all().delete()
    assert HOST in serving(backend)[shown.name]
    settle(backend)
    assert shown.name not in serving(backend)


class Interrupting(RowKeyValueStore):
    """Another push of the branch moves the row and the key between our reading and writing."""

    def __init__(self, other):
        self.other = other

    def update(self, **changes):
        other, self.other = self.other, lambda: None
        other()
        return super().update(**changes)


def test_the_push_recorded_last_decides_whoever_writes_last(preview, replaced, operator, backend):
    preview(mark="A")
    later = {}
    BranchPreview.objects.update(release=operator.release("B"))
    store = Interrupting(lambda: later.update(release=preview(mark="C").release))
    settle(replaced(keyvalues=store), ["feature-login"])
    assert operator.served(HOST) == later["release"].name
    assert differing_keys(backend.keyvalues.items()) == {}


class Restless(RowKeyValueStore):
    def update(self, **changes):
        raise StaleEtag("changed")


def test_a_store_that_keeps_changing_is_said_with_the_repair(preview, replaced, operator):
    preview(mark="A")
    BranchPreview.objects.update(release=operator.release("B"))
    with pytest.raises(ChangedMeanwhile, match="previews --repair"):
        settle(replaced(keyvalues=Restless()))


def test_settling_repairs_lost_different_and_unknown_keys(preview, backend, operator):
    preview("one")
    preview("two", mark="B")
    store = backend.keyvalues
    store.update(
        puts={"host:two.preview.localhost": "{}", "host:lost.preview.localhost": "{}"},
        deletes=["host:one.preview.localhost"],
        if_match=store.etag(),
    )
    assert settle(backend) == sorted(f"host:{x}.preview.localhost" for x in ("one", "two", "lost"))
    assert settle(backend) == []
    assert len(preview_keys(backend)) == 2
