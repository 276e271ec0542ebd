"""What is lost comes back: documents, by content and by name; orphans are found and removed."""

from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.utils import timezone
from django_q.models import OrmQ

from dispatch.models import Job
from dispatch.statuses import ServiceKind
from tests.builders import make_crew, make_job, make_service
from tests.tracking.builders import MemoryStore, make_link, publish_link
from tracking import publishing, tasks
from tracking.claims import LEASE, Outcome
from tracking.comparing import compare_documents, find_orphans, remove_orphans
from tracking.errors import MostlyOrphaned
from tracking.links import hash_token, revoke_link
from tracking.models import TrackingLink
from tracking.publishing import publish, publish_behind

pytestmark = pytest.mark.django_db
ORPHAN = f"jobs/{hash_token('of nobody')}.json"


@pytest.fixture
def store():
    return MemoryStore()


def documents(store):
    return {key: body for key, body in store.bodies.items() if key.startswith("jobs/")}


def published(store, count=3, **values):
    links = [make_link(job=make_job(**values)) for _ in range(count)]
    publish_behind(objects=store)
    return links


def faults(store):
    found = compare_documents(store)
    return found.missing.named, found.stale.named, found.orphaned


def test_every_document_comes_back_after_the_store_was_lost(store):
    published(store)
    before = dict(store.bodies)
    store.bodies.clear()
    assert publish_behind(objects=store)["written"] == 0  # the links say that all is published
    assert publish(objects=store, everything=True)["written"] == 3
    assert documents(store) == before


def test_many_documents_are_marked_and_published_in_batches(store, monkeypatch):
    monkeypatch.setattr(publishing, "PAGE", 2)
    published(store, 5)
    store.bodies.clear()
    assert publish(objects=store, everything=True)["written"] == 5
    assert len(documents(store)) == 5


def test_links_given_up_do_not_hide_those_after_them(store, monkeypatch):
    monkeypatch.setattr(publishing, "PAGE", 1)
    busy, free = make_link(claimed_at=timezone.now()), make_link()
    assert publish_behind(objects=store) == {"written": 1, "deleted": 0, "busy": 1, "left": 0}
    assert list(store.bodies) == [free.key] != [busy.key]


def test_dry_run_of_everything_only_counts(store):
    published(store)
    make_link(revoked=True, published_revision=1)
    planned = publish(objects=store, everything=True, dry_run=True)
    assert planned == {"written": 3, "deleted": 1, "busy": 0, "left": 0}
    assert not TrackingLink.objects.filter(published_revision=0).exists()


def test_rewriting_everything_leaves_revoked_links_alone(store):
    (link,) = published(store, 1)
    revoke_link(link=link, actor="pat", reason="lost")
    publish_behind(objects=store)
    assert publish(objects=store, everything=True)["written"] == 0
    assert documents(store) == {}


def rename_crew(job):
    job.crew.name = "Cottonwood"
    job.crew.save()


def rename_service(job):
    job.service.name = "Haul away"
    job.service.save()


def change_kind_of_service(job):
    job.service.kind = ServiceKind.DUMPSTER
    job.service.save()


@pytest.mark.parametrize("rename", [rename_crew, rename_service, change_kind_of_service])
def test_new_name_of_crew_or_service_reaches_its_documents(
    store, rename, django_capture_on_commit_callbacks
):
    (link,) = published(store, 1, crew=make_crew(name="Birch"))
    (other,) = published(store, 1, service=make_service("cleanout"))
    before = documents(store)
    with django_capture_on_commit_callbacks(execute=True):
        rename(link.job)
    assert OrmQ.objects.get().task["func"] == "tracking.tasks.publish"
    assert [one.pk for one in TrackingLink.objects.behind()] == [link.pk]
    assert publish_behind(objects=store)["written"] == 1
    assert documents(store)[link.key] != before[link.key]
    assert documents(store)[other.key] == before[other.key]
    assert faults(store) == ([], [], 0)


def test_new_name_costs_the_same_for_any_number_of_jobs(store, django_assert_max_num_queries):
    crew = make_crew(name="Birch")
    published(store, 5, crew=crew)
    crew.name = "Spruce"
    # Savepoint, compare, save, field history, the board's stamp, one UPDATE of the links, the task.
    with django_assert_max_num_queries(11):
        crew.save()
    assert TrackingLink.objects.behind().count() == 5


def test_saving_the_same_name_publishes_nothing(store):
    (link,) = published(store, 1, crew=make_crew())
    link.job.crew.active = False
    link.job.crew.save()
    assert not TrackingLink.objects.behind().exists()


def test_renaming_during_publishing_is_published(store):
    link = make_link(job=make_job(crew=make_crew(name="Birch")))
    store.before_put = lambda: rename_crew(Job.objects.get(pk=link.job_id))
    assert publish_link(pk=link.pk, objects=store) is Outcome.LOST
    publish_behind(objects=store)
    assert b"Cottonwood" in store.bodies[link.key]


def test_comparison_finds_missing_stale_and_orphaned_documents(store):
    missing, stale, fine = published(store)
    del store.bodies[missing.key]
    store.bodies[stale.key] = store.bodies[fine.key]
    store.bodies[ORPHAN] = b"{}"
    store.bodies["jobs/readme.txt"] = b"no document"
    assert faults(store) == ([missing.job.label], [stale.job.label], 1)
    publish(objects=store, everything=True)
    remove_orphans(store)
    assert faults(store) == ([], [], 0)
    assert set(documents(store)) == {missing.key, stale.key, fine.key, "jobs/readme.txt"}


def test_comparison_finds_what_another_format_would_show(store):
    """A status got another label: no job has a new revision, but the bytes differ."""
    (link,) = published(store, 1)
    store.bodies[link.key] = store.bodies[link.key].replace(b"Requested", b"Received")
    assert faults(store) == ([], [link.job.label], 0)


def test_etags_that_are_no_digest_of_the_content_are_no_fault(store, monkeypatch):
    published(store)
    listed = list(store.list(""))
    opaque = [type(one)(one.key, one.size, '"opaque"') for one in listed]
    monkeypatch.setattr(store, "list", lambda prefix: iter(opaque))
    assert faults(store) == ([], [], 0)


def test_documents_still_to_be_published_are_no_fault(store):
    make_link()
    behind, claimed, revoked = published(store)
    Job.objects.filter(pk=behind.job_id).update(revision=2)
    TrackingLink.objects.filter(pk=behind.pk).mark_due(2)
    TrackingLink.objects.filter(pk=claimed.pk).update(claimed_at=timezone.now())
    del store.bodies[claimed.key]
    revoke_link(link=revoked, actor="pat", reason="lost")
    assert faults(store) == ([], [], 0)
    lapsed = timezone.now() - LEASE - timedelta(seconds=1)
    TrackingLink.objects.filter(pk=claimed.pk).update(claimed_at=lapsed)
    assert faults(store) == ([claimed.job.label], [], 0)


def test_document_published_during_the_comparison_is_no_fault(store, monkeypatch):
    (link,) = published(store, 1)
    listed = list(store.list(""))

    def list_then_change(prefix):
        Job.objects.filter(pk=link.job_id).update(revision=2, town="Ester")
        TrackingLink.objects.filter(pk=link.pk).mark_due(2)
        publish_behind(objects=store)
        return iter(listed)

    monkeypatch.setattr(store, "list", list_then_change)
    assert faults(store) == ([], [], 0)


def test_document_of_a_link_made_after_the_listing_is_kept(store, monkeypatch):
    listing = store.list

    def make_link_while_listing(prefix):
        yield from listing(prefix)
        published(store, 1)

    monkeypatch.setattr(store, "list", make_link_while_listing)
    remove_orphans(store)
    assert len(documents(store)) == 1


def test_dry_run_counts_orphans(store):
    published(store, 1)
    store.bodies[ORPHAN] = b"{}"
    found = remove_orphans(store, dry_run=True)
    assert (found.keys, found.documents) == ([ORPHAN], 2)
    assert ORPHAN in store.bodies


def test_daily_task_removes_orphans_only_if_scheduled(store, settings, monkeypatch):
    monkeypatch.setattr(tasks, "get_backend", lambda: SimpleNamespace(objects=store))
    published(store)
    store.bodies[ORPHAN] = b"{}"
    assert tasks.prune_daily() is None
    assert ORPHAN in store.bodies
    settings.PRUNE_SCHEDULED = True
    assert tasks.prune_daily() == {"documents": 4, "orphaned": 1, "removed": 1}
    assert ORPHAN not in store.bodies


def test_daily_task_leaves_the_documents_of_another_installation(store, settings, monkeypatch):
    """An empty database was pointed at a store that is in use."""
    monkeypatch.setattr(tasks, "get_backend", lambda: SimpleNamespace(objects=store))
    settings.PRUNE_SCHEDULED = True
    published(store)
    TrackingLink.objects.all().delete()
    with pytest.raises(MostlyOrphaned, match="3 of 3"):
        tasks.prune_daily()
    assert remove_orphans(store).left
    assert len(find_orphans(store).keys) == 3
    remove_orphans(store, even_most=True)
    assert documents(store) == {}
