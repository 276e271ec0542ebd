"""What a local edge knows, and when it looks again."""

import threading

import pytest

from edge.errors import BackendUnavailable
from edge.functions.shipped import function_name, function_source
from edge.routing import RoutingDocument
from edge.serving.snapshot import Snapshot, SnapshotKeeper, functions_by_host


@pytest.fixture
def clock(monkeypatch):
    class Clock:
        now = 100.0

    monkeypatch.setattr("edge.serving.snapshot.time.monotonic", lambda: Clock.now)
    return Clock


class Source:
    """A back end that counts how often it is read."""

    def __init__(self):
        self.reads, self.failing = 0, False

    def __call__(self, known):
        self.reads += 1
        if self.failing:
            raise BackendUnavailable("The database is away.")
        return Snapshot(etag=str(self.reads), published=0, invalidated=0)


def keeper(source, changed=lambda snapshot: None) -> SnapshotKeeper:
    return SnapshotKeeper(read=source, changed=changed, refresh_seconds=0.25)


def test_snapshot_is_read_again_when_it_is_old(clock):
    source = Source()
    kept = keeper(source)
    assert [kept.current().etag for _ in range(5)] == ["1"] * 5
    clock.now += 0.25
    assert [kept.current().etag for _ in range(5)] == ["2"] * 5
    assert source.reads == 2


def test_change_is_told_once(clock):
    told = []
    kept = keeper(lambda known: known if told else Snapshot(etag="1"), told.append)
    for _ in range(3):
        kept.current()
        clock.now += 1
    assert [snapshot.etag for snapshot in told] == ["1"]


def test_failure_keeps_the_last_snapshot_and_waits_longer(clock, caplog):
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


def test_failure_from_the_start_gives_an_empty_snapshot(clock, caplog):
    source = Source()
    source.failing = True
    assert keeper(source).current() == Snapshot()


@pytest.mark.usefixtures("clock")
def test_request_does_not_wait_for_another_ones_refresh(clock):
    kept = keeper(Source())
    kept.current()
    entered, leave = threading.Event(), threading.Event()

    def slow(known):
        entered.set()
        leave.wait(10)
        return known

    kept._read = slow
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
    snapshot = Snapshot(hosts=hosts)
    assert snapshot.function_for("a.example") == "source"
    assert snapshot.function_for("b.example") == function_source()
