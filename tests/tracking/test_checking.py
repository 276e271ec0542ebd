"""The check that follows a change from the database to the edge."""

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from dispatch.errors import ProbeExists
from dispatch.models import Counter, Customer, Job, JobEvent
from dispatch.probes import LEFT_AFTER, PROBE_NUMBER, make_probe, move_probe
from edge.errors import BackendUnavailable
from edge.protocols import ViewerResponse
from tests.tracking.builders import MemoryStore, make_link
from tracking import checking
from tracking.checking import KEPT, check_tracking, forget_checks
from tracking.claims import LEASE
from tracking.links import hash_token
from tracking.models import TrackingCheck, TrackingLink
from tracking.numbers import highest_known
from tracking.publishing import publish, publish_behind

pytestmark = pytest.mark.django_db


class Edge:
    """Answers with what the store has; `cached` answers with what it saw first."""

    def __init__(self, store, *, cached=False):
        self.store, self.cached, self.seen, self.tokens = store, cached, {}, []

    def ask(self, path):
        token = path.removeprefix("/track/").removesuffix(".json")
        self.tokens.append(token)
        body = self.store.bodies.get(f"jobs/{hash_token(token)}.json")
        if body is None:
            return ViewerResponse(404, {}, b"not found")
        kept = self.seen.setdefault(path, body)
        return ViewerResponse(200, {}, kept if self.cached else body)


@pytest.fixture
def store():
    return MemoryStore()


@pytest.fixture
def cluster(store, monkeypatch):
    """Publish whenever the check waits, as the task cluster does."""
    monkeypatch.setattr(checking, "sleep", lambda seconds: publish_behind(objects=store))


def run(store, edge=None, seconds=30):
    edge = edge or Edge(store)
    return check_tracking(environment="production", objects=store, ask=edge.ask, seconds=seconds)


def is_clean(store):
    """Whether nothing of a probe is left."""
    return not (
        store.bodies
        or Job.with_probes.exists()
        or TrackingLink.objects.exists()
        or JobEvent.objects.exists()
        or Customer.objects.exists()
    )


def leave_probe(store, *, ago=timedelta()):
    """Leave what a killed check leaves."""
    job = make_probe()
    publish_behind(objects=store)
    move_probe(job)
    Job.with_probes.filter(pk=job.pk).update(created_at=timezone.now() - ago)
    return job


def test_change_is_followed_to_the_edge(store, cluster):
    check = run(store)
    assert check.problem == ""
    assert None not in (check.write_ms, check.publish_ms, check.edge_ms)
    assert check.total_ms == check.write_ms + check.publish_ms + check.edge_ms
    assert TrackingCheck.objects.get() == check
    assert is_clean(store)


def test_edge_had_the_first_document_before_it_changed(store, cluster):
    edge = Edge(store)
    run(store, edge)
    (first,) = edge.seen.values()
    assert json.loads(first)["revision"] == 1


def test_change_that_is_not_published(store):
    check = run(store, seconds=0)
    assert "not published in time" in check.problem
    assert "manage.py work" in check.problem
    assert check.total_ms is None
    assert is_clean(store)


def test_edge_that_answers_with_the_old_document(store, cluster):
    check = run(store, Edge(store, cached=True), seconds=0.3)
    assert "it answered revision 1 instead of 2" in check.problem
    assert (check.edge_ms, check.publish_ms is None) == (None, False)
    assert is_clean(store)


def test_edge_that_refuses(store, cluster):
    class Closed(Edge):
        def ask(self, path):
            return ViewerResponse(401, {}, b"These pages are not public.\n")

    check = run(store, Closed(store), seconds=0.3)
    assert "it answered 401" in check.problem
    assert is_clean(store)


def test_edge_with_another_page(store, cluster):
    class Other(Edge):
        def ask(self, path):
            return ViewerResponse(200, {}, b"<!doctype html>")

    assert "it answered 200" in run(store, Other(store), seconds=0.3).problem


def test_edge_that_does_not_answer(store, cluster):
    class Silent(Edge):
        def ask(self, path):
            raise BackendUnavailable(f"{path} did not answer.")

    check = run(store, Silent(store), seconds=0.3)
    assert "nothing (backend-unavailable)" in check.problem
    assert "/track/" not in check.problem
    assert is_clean(store)


def test_store_that_does_not_answer_leaves_a_hidden_probe(store):
    store.down = True
    check = run(store, seconds=0)
    assert check.problem.startswith("The object store did not take part (backend-unavailable)")
    assert "jobs/" not in check.problem
    assert Job.with_probes.get().is_probe
    assert not Job.objects.exists()


def test_document_that_a_worker_has_is_left(store, monkeypatch):
    monkeypatch.setattr(checking, "CLAIM_SECONDS", 0)

    def claim(seconds):
        TrackingLink.objects.update(claimed_at=timezone.now())

    monkeypatch.setattr(checking, "sleep", claim)
    check = run(store, seconds=0.1)
    assert "A worker still has the document" in check.problem
    assert Job.with_probes.exists()


def test_claim_that_has_lapsed_is_taken(store):
    leave_probe(store, ago=2 * LEFT_AFTER)
    TrackingLink.objects.update(claimed_at=timezone.now() - 2 * LEASE)
    run(store, seconds=0)
    assert is_clean(store)


# Two checks, and one that was killed


def test_second_check_is_refused_and_not_recorded(store):
    leave_probe(store)
    bodies = dict(store.bodies)
    with pytest.raises(ProbeExists):
        run(store)
    assert store.bodies == bodies
    assert not TrackingCheck.objects.exists()


def test_old_remains_are_removed_first(store, cluster):
    leave_probe(store, ago=2 * LEFT_AFTER)
    assert run(store).problem == ""
    assert is_clean(store)


def test_interrupted_check_removes_what_it_made(store, monkeypatch):
    def interrupt(seconds):
        raise KeyboardInterrupt

    monkeypatch.setattr(checking, "sleep", interrupt)
    with pytest.raises(KeyboardInterrupt):
        run(store)
    assert is_clean(store)


def test_remains_do_not_raise_the_job_number(store):
    leave_probe(store)
    publish_behind(objects=store)
    assert highest_known(store) == 0
    link = make_link()
    publish(objects=store)
    assert highest_known(store) == link.job.number < PROBE_NUMBER
    assert Counter.objects.get(name="job").value < PROBE_NUMBER


def test_store_that_refuses_the_document_names_no_job(store):
    link = TrackingLink.objects.get(job=make_probe())
    store.refused.add(link.key)
    with pytest.raises(Exception, match="The tracking documents of a check") as failed:
        publish_behind(objects=store)
    assert str(PROBE_NUMBER) not in str(failed.value)


def test_token_is_in_no_log(store, cluster, caplog):
    edge = Edge(store)
    with caplog.at_level(0):
        run(store, edge)
    assert edge.tokens
    assert edge.tokens[0] not in caplog.text


def test_old_checks_are_forgotten():
    now = timezone.now()
    old, new = (TrackingCheck.objects.create(environment="production") for _ in range(2))
    TrackingCheck.objects.filter(pk=old.pk).update(at=now - KEPT - timedelta(hours=1))
    assert forget_checks(now) == 1
    assert TrackingCheck.objects.get() == new
