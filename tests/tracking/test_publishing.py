"""Publishing: the newest document is published, even when workers race."""

import json
import logging
from contextlib import suppress
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from dispatch.changing import move_job
from dispatch.models import Job
from dispatch.statuses import Status
from tests.tracking.builders import MemoryStore, make_link, publish_link
from tracking import publishing, tasks, writing
from tracking.claims import LEASE, Outcome, claim_links, record
from tracking.errors import PublishingFailed
from tracking.links import revoke_link, rotate
from tracking.models import TrackingLink
from tracking.publishing import publish_behind
from tracking.writing import AT_ONCE, publish_links

pytestmark = pytest.mark.django_db
NOTHING = {"written": 0, "deleted": 0, "busy": 0, "left": 0}


@pytest.fixture
def store():
    return MemoryStore()


def shown(store, link):
    """Return the revision of the published document, or None."""
    body = store.bodies.get(link.key)
    return json.loads(body)["revision"] if body else None


def change(link, to=Status.SCHEDULED):
    move_job(
        job=Job.objects.get(pk=link.job_id), to=to, actor="pat", force=True, reason="no window"
    )


def test_link_behind_is_published(store):
    link = make_link()
    assert publish_behind(objects=store) == {**NOTHING, "written": 1}
    assert shown(store, link) == 1
    assert store.headers[link.key] == ("application/json", "public, max-age=5")
    link.refresh_from_db()
    assert (link.published_revision, link.claimed_at) == (1, None)
    assert link.published_at


def test_published_link_is_not_published_again(store):
    make_link()
    publish_behind(objects=store)
    assert publish_behind(objects=store) == NOTHING


def test_changed_job_is_published_again(store):
    link = make_link()
    publish_behind(objects=store)
    change(link)
    assert publish_behind(objects=store)["written"] == 1
    assert shown(store, link) == 2


def test_document_of_a_revoked_link_is_deleted(store):
    link = make_link()
    publish_behind(objects=store)
    revoke_link(link=link, actor="pat", reason="lost phone")
    assert publish_behind(objects=store) == {**NOTHING, "deleted": 1}
    assert store.bodies == {}
    assert publish_behind(objects=store) == NOTHING


def test_rotation_replaces_the_document(store):
    old = make_link()
    publish_behind(objects=store)
    new = rotate(link=old, actor="pat", reason="leaked")
    assert publish_behind(objects=store) == {**NOTHING, "written": 1, "deleted": 1}
    assert list(store.bodies) == [new.key]


def test_link_revoked_before_publishing_needs_nothing(store):
    make_link(revoked=True)
    assert publish_behind(objects=store) == NOTHING


def test_dry_run_only_counts(store):
    make_link()
    make_link(revoked=True, published_revision=1)
    planned = publish_behind(objects=store, dry_run=True)
    assert planned == {**NOTHING, "written": 1, "deleted": 1}
    assert store.bodies == {}


def test_job_changed_during_publishing_is_published_again(store):
    link = make_link()
    store.before_put = lambda: change(link)
    assert publish_behind(objects=store)["written"] == 2
    assert shown(store, link) == 2


def test_link_revoked_during_publishing_is_deleted(store):
    link = make_link()
    store.before_put = lambda: revoke_link(link=link, actor="pat", reason="leaked")
    assert publish_behind(objects=store)["deleted"] == 1
    assert store.bodies == {}


def test_document_of_a_killed_worker_is_deleted_once_its_link_is_revoked(store, database_clock):
    link = make_link()
    claim_links([link.pk])
    store.bodies[link.key] = b"{}"  # written, but the worker died before recording it
    revoke_link(link=link, actor="pat", reason="leaked")
    database_clock.shift(LEASE + timedelta(seconds=1))
    assert publish_behind(objects=store)["deleted"] == 1
    assert store.bodies == {}


def test_claimed_link_is_skipped(store):
    make_link(claimed_at=timezone.now())
    assert publish_behind(objects=store) == {**NOTHING, "busy": 1}
    assert store.bodies == {}


def test_second_worker_skips_a_claimed_link_and_the_first_publishes_again(store):
    link = make_link()
    seen = []

    def second_worker():
        change(link)
        seen.append(publish_behind(objects=store))

    store.before_put = second_worker
    publish_behind(objects=store)
    assert seen == [{**NOTHING, "busy": 1}]
    assert shown(store, link) == 2


def slow_worker_overtaken(store, link, database_clock):
    """Stall a worker in its put until its claim lapses, the job changes and another worker
    publishes the change, so that the older document is written last.
    """

    def overtake():
        change(link)
        database_clock.shift(LEASE + timedelta(seconds=1))
        assert publish_link(pk=link.pk, objects=store) is Outcome.WRITTEN
        assert shown(store, link) == 2

    store.before_put = overtake
    return publish_link(pk=link.pk, objects=store)


@pytest.mark.parametrize("existed", [False, True])
def test_older_document_is_not_written_last(store, database_clock, existed):
    link = make_link()
    if existed:
        publish_behind(objects=store)
        TrackingLink.objects.mark_unknown()
    assert slow_worker_overtaken(store, link, database_clock) is Outcome.LOST
    assert shown(store, link) == 2
    assert not TrackingLink.objects.behind().exists()
    assert not TrackingLink.objects.filter(claimed_at__isnull=False).exists()


def test_older_document_does_not_come_back_after_its_deletion(store, database_clock):
    link = make_link()
    publish_behind(objects=store)

    def overtake():
        revoke_link(link=link, actor="pat", reason="leaked")
        database_clock.shift(LEASE + timedelta(seconds=1))
        assert publish_link(pk=link.pk, objects=store) is Outcome.DELETED

    change(link)
    store.before_put = overtake
    assert publish_link(pk=link.pk, objects=store) is Outcome.LOST
    assert store.bodies == {}


def test_document_changed_by_another_hand_is_replaced(store):
    link = make_link()
    publish_behind(objects=store)
    change(link)
    store.before_put = lambda: store.bodies.update({link.key: b"{}"})
    assert publish_behind(objects=store)["written"] == 1
    assert shown(store, link) == 2


def test_older_document_written_last_is_replaced(store, database_clock):
    """In a store that knows no conditions."""
    store.is_conditional = False
    link = make_link()
    assert slow_worker_overtaken(store, link, database_clock) is Outcome.LOST
    assert shown(store, link) == 1
    assert TrackingLink.objects.behind().get() == link
    publish_behind(objects=store)
    assert shown(store, link) == 2


def test_older_document_written_before_the_newer_is_recorded_is_replaced(store, database_clock):
    """The slow worker writes after the other's put and records before the other does."""
    link = make_link()
    change(link)
    claim, _ = claim_links([link.pk])
    database_clock.shift(LEASE + timedelta(seconds=1))
    outcomes = []

    def slow_worker_finishes():
        store.bodies[link.key] = b'{"revision": 1}'
        outcomes.append(record(pk=link.pk, claim=claim, revision=1, outcome=Outcome.WRITTEN))

    store.after_put = slow_worker_finishes
    outcomes.append(publish_link(pk=link.pk, objects=store))
    assert outcomes == [Outcome.LOST, Outcome.LOST]
    assert TrackingLink.objects.behind().exists()
    publish_behind(objects=store)
    assert shown(store, link) == 2


def test_document_written_after_its_deletion_is_deleted_again(store, database_clock):
    link = make_link()

    def overtake():
        revoke_link(link=link, actor="pat", reason="leaked")
        database_clock.shift(LEASE + timedelta(seconds=1))
        assert publish_link(pk=link.pk, objects=store) is Outcome.DELETED

    store.before_put = overtake
    assert publish_link(pk=link.pk, objects=store) is Outcome.LOST
    assert shown(store, link) == 1
    publish_behind(objects=store)
    assert store.bodies == {}


def test_concurrent_workers_leave_the_newest_document(store, together):
    link = make_link()

    def change_and_publish():
        Job.objects.filter(pk=link.job_id).update(revision=F("revision") + 1)
        TrackingLink.objects.filter(pk=link.pk).update(due_revision=F("due_revision") + 1)
        return publish_behind(objects=store)

    results = together(change_and_publish)
    assert all(isinstance(result, dict) for result in results), results
    assert not TrackingLink.objects.behind().exists()
    assert shown(store, link) == 7


def test_store_failure_is_raised_at_the_end_and_retried(store, caplog):
    broken, fine = make_link(), make_link()
    store.refused.add(broken.key)
    with pytest.raises(PublishingFailed) as failed:
        publish_behind(objects=store)
    assert shown(store, fine) == 1
    assert broken.job.label in str(failed.value)
    assert failed.value.code == "publishing-failed"
    assert failed.value.hint
    store.refused.clear()
    assert publish_behind(objects=store) == {**NOTHING, "written": 1}


def test_store_failure_is_logged_without_token_and_key(store, caplog):
    link = make_link(token="secret-token")
    store.down = True
    with caplog.at_level(logging.DEBUG), pytest.raises(PublishingFailed):
        publish_behind(objects=store)
    assert f"link {link.pk}" in caplog.text
    assert "backend-unavailable" in caplog.text
    assert "secret-token" not in caplog.text
    assert link.token_sha256 not in caplog.text


def test_document_that_cannot_be_made_does_not_hold_up_the_others(store, monkeypatch, caplog):
    broken, fine = make_link(), make_link()
    made = writing.document_of

    def refuse(link):
        return 1 / 0 if link == broken else made(link)

    monkeypatch.setattr(writing, "document_of", refuse)
    with pytest.raises(PublishingFailed, match=broken.job.label):
        publish_behind(objects=store)
    assert list(store.bodies) == [fine.key]
    assert "failed: ZeroDivisionError" in caplog.text
    assert not TrackingLink.objects.filter(claimed_at__isnull=False).exists()


def test_batch_takes_the_queries_of_one_document_and_a_record_for_each(store):
    def queries(links):
        with CaptureQueriesContext(connection) as captured:
            publish_links([link.pk for link in links], store)
        return len(captured)

    one, many = queries([make_link()]), queries([make_link() for _ in range(AT_ONCE)])
    assert many - one == AT_ONCE - 1
    assert len(store.bodies) == 1 + AT_ONCE


def test_failed_delete_is_retried(store):
    link = make_link(revoked=True, published_revision=1)
    store.bodies[link.key] = b"{}"
    store.down = True
    with pytest.raises(PublishingFailed):
        publish_behind(objects=store)
    store.down = False
    assert publish_behind(objects=store)["deleted"] == 1


def test_job_that_keeps_changing_is_left_to_the_next_run(store):
    link = make_link()

    def change_during_every_put():
        Job.objects.filter(pk=link.job_id).update(revision=F("revision") + 1)
        TrackingLink.objects.filter(pk=link.pk).update(due_revision=F("due_revision") + 1)
        store.before_put = change_during_every_put

    store.before_put = change_during_every_put
    assert publish_behind(objects=store) == {**NOTHING, "written": 5, "left": 1}


def test_task_publishes(store, monkeypatch):
    link = make_link()
    monkeypatch.setattr(tasks, "get_backend", lambda: SimpleNamespace(objects=store))
    assert tasks.publish() == {**NOTHING, "written": 1}
    assert shown(store, link) == 1


def test_task_hands_the_rest_to_the_next_one(store, monkeypatch, settings):
    for _ in range(3):
        make_link()
    settings.PUBLISH_SECONDS = 0  # one document takes longer
    monkeypatch.setattr(publishing, "AT_ONCE", 1)
    monkeypatch.setattr(tasks, "get_backend", lambda: SimpleNamespace(objects=store))
    asked = []
    monkeypatch.setattr(tasks, "request_publishing", lambda: asked.append(True))
    counts = [tasks.publish() for _ in range(3)]
    assert counts == [{**NOTHING, "written": 1, "left": left} for left in (2, 1, 0)]
    assert len(asked) == 2
    assert len([key for key in store.bodies if key.startswith("jobs/")]) == 3


def test_document_that_the_store_refuses_does_not_hold_up_the_others(store, monkeypatch):
    links = [make_link() for _ in range(3)]
    store.refused.add(links[0].key)
    monkeypatch.setattr(publishing, "AT_ONCE", 1)
    for _ in range(100):  # runs that end after one document
        with suppress(PublishingFailed):
            publish_behind(objects=store, seconds=0)
    assert set(store.bodies) == {link.key for link in links[1:]}


def test_run_ends_when_the_store_refuses_everything(store, caplog):
    for _ in range(publishing.MAX_FAILURES_IN_A_ROW + AT_ONCE):
        make_link()
    store.down = True
    with pytest.raises(PublishingFailed):
        publish_behind(objects=store)
    tried = caplog.text.count("failed: backend-unavailable")
    most = publishing.MAX_FAILURES_IN_A_ROW
    assert most <= tried < most + AT_ONCE


def test_claim_outlives_the_task_and_no_minute(settings):
    cluster = settings.Q_CLUSTER["ALT_CLUSTERS"]["publishing"]
    assert settings.PUBLISH_SECONDS < cluster["timeout"] < LEASE.total_seconds() - 3
    assert LEASE.total_seconds() <= 40
    assert cluster["retry"] > cluster["timeout"] + 3
