"""When the local edge refreshes its snapshot, and what is in it."""

import threading

import pytest

from edge.errors import BackendUnavailable
from edge.functions.shipped import function_name
from edge.protocols import Snapshot
from edge.routing import RoutingDocument
from edge.serving.host_functions import functions_by_host
from edge.serving.snapshot import SnapshotKeeper


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def keeper(clock):
    def make(source, changed=lambda snapshot: None):
        return SnapshotKeeper(read=source, changed=changed, refresh_seconds=0.25, clock=clock)

    return make


class Source:
    """A back end that counts how often it is read."""

    def __init__(self):
        self.reads, self.failing = 0, False

    def __call__(self, known):
        self.reads += 1
        if self.failing:
            raise BackendUnavailable("The database is away.")
        return Snapshot(etag=str(self.reads), published=0, invalidated=0)


def test_old_snapshot_is_refreshed(keeper, clock):
    source = Source()
    kept = keeper(source)
    assert [kept.current().etag for _ in range(5)] == ["1"] * 5
    clock.now += 0.25
    assert [kept.current().etag for _ in range(5)] == ["2"] * 5
    assert source.reads == 2


def test_change_is_reported_once(keeper, clock):
    reported = []
    kept = keeper(lambda known: known if reported else Snapshot(etag="1"), reported.append)
    for _ in range(3):
        kept.current()
        clock.now += 1
    assert [snapshot.etag for snapshot in reported] == ["1"]


def test_failure_keeps_the_last_snapshot_and_waits_longer(keeper, clock, caplog):
    source = Source()
    kept = keeper(source)
    kept.current()
    source.failing = True
    for _ in range(4):
        clock.now += 0.25
        assert kept.current().etag == "1"
    assert source.reads == 2
    assert "The database is away." in caplog.text
    source.failing = False
    clock.now += 1
    assert kept.current().etag == "3"


def test_snapshot_is_empty_if_the_first_read_fails(keeper):
    source = Source()
    source.failing = True
    assert keeper(source).current() == Snapshot()


def test_request_does_not_wait_for_the_refresh_of_another(keeper, clock):
    entered, leave, source = threading.Event(), threading.Event(), Source()

    def slow_when_known(known):
        if known.etag:
            entered.set()
            leave.wait(10)
        return source(known)

    kept = keeper(slow_when_known)
    kept.current()
    clock.now += 1
    thread = threading.Thread(target=kept.current)
    thread.start()
    assert entered.wait(10)
    assert kept.current().etag == "1"
    leave.set()
    thread.join()


def test_function_goes_by_the_hosts_environment():
    documents = {
        "host:a.example": RoutingDocument(environment="production", release="r").to_json(),
        "host:b.example": RoutingDocument(environment="staging", release="r").to_json(),
        "host:c.example": "{broken",
        "env:production": RoutingDocument(environment="production", release="r").to_json(),
        "preview": "secret",
    }
    hosts = functions_by_host(documents, {function_name("production"): "source"})
    assert hosts == {"a.example": "source"}
