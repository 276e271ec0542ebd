"""The hourly reconciliation: what the store lost or changed is found within a day."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from django.utils import timezone
from django_q.models import OrmQ

from edge.errors import EdgeError
from tests.builders import make_job
from tests.tracking.builders import MemoryStore, make_link
from tracking import reconciling, tasks
from tracking.links import hash_token
from tracking.models import TrackingLink
from tracking.publishing import publish_behind
from tracking.reconciling import PARTS, reconcile, slice_of

pytestmark = pytest.mark.django_db
START = datetime(2026, 11, 22, tzinfo=UTC)
DAY = [START + timedelta(hours=hour) for hour in range(24)]


@pytest.fixture
def store():
    return MemoryStore()


@pytest.fixture
def links(store):
    made = [make_link() for _ in range(5)]
    publish_behind(objects=store)
    return made


def test_a_day_compares_every_document_once():
    assert sorted(part for moment in DAY for part in slice_of(moment)) == PARTS


def test_what_is_missing_or_stale_is_published_again(
    store, links, caplog, django_capture_on_commit_callbacks
):
    before = dict(store.bodies)
    missing, stale = links[:2]
    del store.bodies[missing.key]
    store.bodies[stale.key] = b"{}"
    store.bodies[f"jobs/{hash_token('of nobody')}.json"] = b"{}"
    with django_capture_on_commit_callbacks(execute=True):
        found = [reconcile(store, now=moment) for moment in DAY]
    totals = {name: sum(one[name] for one in found) for name in found[0]}
    assert totals == {"documents": 5, "missing": 1, "stale": 1, "orphaned": 1}
    assert [link.pk for link in TrackingLink.objects.behind()] == [missing.pk, stale.pk]
    assert OrmQ.objects.get().task["func"] == "tracking.tasks.publish"
    assert missing.job.label in caplog.text
    assert stale.job.label in caplog.text
    assert missing.token_sha256 not in caplog.text
    publish_behind(objects=store)
    assert {key: store.bodies[key] for key in before} == before


def test_an_hour_reads_only_its_slice(store, links):
    hour = next(moment for moment in DAY if links[0].token_sha256[:2] in slice_of(moment))
    mine = [link for link in links if link.token_sha256[:2] in slice_of(hour)]
    store.bodies.clear()
    assert reconcile(store, now=hour)["missing"] == len(mine)


def test_documents_behind_are_no_fault(store):
    make_link()
    assert not any(any(reconcile(store, now=moment).values()) for moment in DAY)


def test_it_ends_in_time_and_goes_on_another_day(store, monkeypatch, caplog):
    compared = []

    def compare(objects, part):
        compared.append(part)
        return reconciling.Comparison()

    monkeypatch.setattr(reconciling, "compare_documents", compare)
    for _ in range(100):
        reconcile(store, now=START, seconds=0)
    assert len(compared) == 100
    assert len(set(compared)) > 1
    assert f"1 of {len(slice_of(START))} parts" in caplog.text


def test_store_that_does_not_answer_marks_nothing(store, links, monkeypatch):
    def refuse(prefix):
        raise EdgeError("no answer", "Wait.")

    monkeypatch.setattr(store, "list", refuse)
    with pytest.raises(EdgeError):
        reconcile(store, now=timezone.now())
    assert not TrackingLink.objects.behind().exists()


def test_task_makes_links_that_are_missing(store, monkeypatch):
    monkeypatch.setattr(tasks, "get_backend", lambda: SimpleNamespace(objects=store))
    job = make_job()
    assert tasks.reconcile()["links_made"] == 1
    assert TrackingLink.objects.behind().get().job == job
    assert tasks.reconcile()["links_made"] == 0
