"""Publishing: the newest document is published, even when workers race."""

import json
import logging
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.db.models import F
from django.utils import timezone
from django_q.models import OrmQ, Schedule

from dispatch.changing import move_job
from dispatch.models import Job
from dispatch.statuses import Status
from tests.builders import make_job
from tests.tracking.builders import MemoryStore, make_link
from tracking import publishing, queue, tasks
from tracking.errors import PublishingFailed
from tracking.links import revoke_link, rotate
from tracking.models import TrackingLink
from tracking.publishing import LEASE, Outcome, publish_behind, publish_link

pytestmark = pytest.mark.django_db
NOTHING = {"written": 0, "deleted": 0, "busy": 0, "left": 0}


@pytest.fixture
def clock(time_machine):
    """A clock that can be shifted."""
    time_machine.move_to(timezone.now())
    return time_machine


@pytest.fixture
def store():
    return MemoryStore()


def shown(store, link):
    """Return the revision of the published document, or None."""
    body = store.bodies.get(link.key)
    return json.loads(body)["revision"] if body else None


def change(link, to=Status.SCHEDULED):
    move_job(job=Job.objects.get(pk=link.job_id), to=to, actor="pat")


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


def test_document_of_a_killed_worker_is_deleted_once_its_link_is_revoked(store, clock):
    link = make_link()
    publishing.claim_link(pk=link.pk)
    store.bodies[link.key] = b"{}"  # written, but the worker died before recording it
    revoke_link(link=link, actor="pat", reason="leaked")
    clock.shift(LEASE + timedelta(seconds=1))
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


def slow_worker_overtaken(store, link, clock):
    """Stall a worker in its put until its claim lapses, the job changes and another worker
    publishes the change, so that the older document is written last.
    """

    def overtake():
        change(link)
        clock.shift(LEASE + timedelta(seconds=1))
        assert publish_link(pk=link.pk, objects=store) is Outcome.WRITTEN
        assert shown(store, link) == 2

    store.before_put = overtake
    return publish_link(pk=link.pk, objects=store)


def test_older_document_written_last_is_replaced(store, clock):
    link = make_link()
    assert slow_worker_overtaken(store, link, clock) is Outcome.LOST
    assert shown(store, link) == 1
    assert TrackingLink.objects.behind().get() == link
    publish_behind(objects=store)
    assert shown(store, link) == 2


def test_older_document_written_before_the_newer_is_recorded_is_replaced(store, clock):
    """The slow worker writes after the other's put and records before the other does."""
    link = make_link()
    change(link)
    claim = publishing.claim_link(pk=link.pk)
    clock.shift(LEASE + timedelta(seconds=1))
    outcomes = []

    def slow_worker_finishes():
        store.bodies[link.key] = b'{"revision": 1}'
        outcomes.append(
            publishing.record(pk=link.pk, claim=claim, revision=1, outcome=Outcome.WRITTEN)
        )

    store.after_put = slow_worker_finishes
    outcomes.append(publish_link(pk=link.pk, objects=store))
    assert outcomes == [Outcome.LOST, Outcome.LOST]
    assert TrackingLink.objects.behind().exists()
    publish_behind(objects=store)
    assert shown(store, link) == 2


def test_document_written_after_its_deletion_is_deleted_again(store, clock):
    link = make_link()

    def overtake():
        revoke_link(link=link, actor="pat", reason="leaked")
        clock.shift(LEASE + timedelta(seconds=1))
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
        store.before_put = change_during_every_put

    store.before_put = change_during_every_put
    assert publish_behind(objects=store) == {**NOTHING, "written": 5, "left": 1}


def test_redis_gets_the_task_after_the_commit(
    settings, monkeypatch, django_capture_on_commit_callbacks
):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    queued = []
    monkeypatch.setattr(queue, "async_task", lambda *args, **kwargs: queued.append(args))
    job = make_job()
    with django_capture_on_commit_callbacks(execute=True):
        move_job(job=job, to=Status.SCHEDULED, actor="dana")
        assert queued == []  # a worker would not see the change yet
    assert queued == [("tracking.tasks.publish",)]


def test_jobs_change_while_redis_is_down(settings, monkeypatch, django_capture_on_commit_callbacks):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"

    def refuse(*args, **kwargs):
        raise ConnectionError("connection refused")

    monkeypatch.setattr(queue, "async_task", refuse)
    job = make_job()
    with django_capture_on_commit_callbacks(execute=True):
        move_job(job=job, to=Status.SCHEDULED, actor="dana")
    assert Job.objects.get().status == Status.SCHEDULED


def test_change_of_a_job_enqueues_publishing_without_arguments():
    job = make_job()
    move_job(job=job, to=Status.SCHEDULED, actor="pat")
    task = OrmQ.objects.get().task
    assert task["func"] == "tracking.tasks.publish"
    assert (task["args"], task["kwargs"]) == ((), {})


def test_task_makes_links_and_publishes(store, monkeypatch):
    job = make_job()
    monkeypatch.setattr(tasks, "get_backend", lambda: SimpleNamespace(objects=store))
    assert tasks.publish() == {**NOTHING, "written": 1}
    assert shown(store, TrackingLink.objects.get(job=job)) == 1


def test_schedule_is_created_once():
    queue.ensure_schedule()
    queue.ensure_schedule()
    assert Schedule.objects.filter(func="tracking.tasks.publish").count() == 1
