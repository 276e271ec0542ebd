"""The snapshot on disk: who writes it, who reads it, and what if it is damaged."""

import json
import os
import stat
from pathlib import Path

import pytest

from edge.errors import BackendUnavailable
from edge.functions.shipped import function_name
from edge.protocols import Snapshot
from edge.routing import RoutingDocument
from edge.serving import snapshot_file
from edge.serving.snapshot import SnapshotKeeper
from edge.serving.snapshot_file import SnapshotFile, to_json

DOCUMENT = RoutingDocument(environment="production", release="r1").to_json()
SNAPSHOT = Snapshot(
    etag="e1",
    published=3,
    invalidated=7,
    keyvalues={"host:a.example": DOCUMENT, "preview": "secret"},
    functions={function_name("production"): "source"},
    hosts={"a.example": "source"},
)


class BackEnd:
    """A back end that may be away, and a clock."""

    now = 100.0

    def __init__(self, snapshot=SNAPSHOT):
        self.snapshot, self.is_away, self.known = snapshot, False, []

    def read(self, known):
        self.known.append(known)
        if self.is_away:
            raise BackendUnavailable("The database is away.")
        return known if known == self.snapshot else self.snapshot


@pytest.fixture
def path(tmp_path):
    return tmp_path / "data" / "edge-snapshot.json"


@pytest.fixture
def start(path):
    """Start a process: return a keeper over a back end."""

    def start(back_end, changed=lambda snapshot: None):
        return SnapshotKeeper(
            read=back_end.read,
            changed=changed,
            clock=lambda: back_end.now,
            file=SnapshotFile(path),
        )

    return start


@pytest.fixture
def away():
    back_end = BackEnd()
    back_end.is_away = True
    return back_end


def test_process_that_starts_without_the_back_end_serves_from_disk(start, away):
    start(BackEnd()).current()
    reported = []
    keeper = start(away, reported.append)
    assert keeper.current() == SNAPSHOT
    assert reported == [SNAPSHOT]
    assert away.known == [Snapshot()]


def test_only_the_owner_may_read_it(start, path):
    start(BackEnd()).current()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert json.loads(path.read_bytes())["keyvalues"]["preview"] == "secret"


def test_it_is_written_when_something_changes_and_not_for_each_request(start, path):
    back_end = BackEnd()
    keeper = start(back_end)
    keeper.current()
    path.unlink()
    for _ in range(3):
        back_end.now += 1
        keeper.current()
    assert not path.exists()
    back_end.snapshot = Snapshot(etag="e2", published=3, invalidated=7)
    back_end.now += 1
    keeper.current()
    assert json.loads(path.read_bytes())["etag"] == "e2"
    assert os.listdir(path.parent) == [path.name]


def test_it_is_not_used_while_the_back_end_answers(start):
    start(BackEnd()).current()
    newer = Snapshot(etag="e2", published=4, invalidated=7)
    assert start(BackEnd(newer)).current() == newer


def test_process_goes_on_from_disk_to_the_back_end(start, away):
    start(BackEnd()).current()
    keeper = start(away)
    keeper.current()
    away.is_away = False
    away.snapshot = Snapshot(etag="e2", published=3, invalidated=8, dropped=["/x"])
    away.now += 1
    assert keeper.current() == away.snapshot
    assert away.known[-1] == SNAPSHOT


def test_process_that_has_a_snapshot_does_not_read_the_file(start, path):
    back_end = BackEnd()
    keeper = start(back_end)
    keeper.current()
    path.write_text(path.read_text().replace("e1", "e0"))
    back_end.is_away = True
    back_end.now += 1
    assert keeper.current().etag == "e1"


# What /readyz says


def test_health_of_a_process_that_reads_the_back_end(start):
    health = start(BackEnd()).health()
    assert (health.failing_since, health.is_from_disk, health.is_empty) == (None, False, False)


def test_health_names_the_disk_and_the_first_failure(start, away):
    start(BackEnd()).current()
    keeper = start(away)
    first = keeper.health()
    assert (first.is_from_disk, first.is_empty) == (True, False)
    away.now += 5
    assert keeper.health() == first
    away.is_away = False
    away.now += 5
    assert keeper.health().failing_since is None
    assert not keeper.health().is_from_disk


def test_health_of_a_warm_process(start):
    back_end = BackEnd()
    keeper = start(back_end)
    keeper.current()
    back_end.is_away = True
    back_end.now += 1
    health = keeper.health()
    assert health.failing_since is not None
    assert (health.is_from_disk, health.is_empty) == (False, False)


def test_health_without_any_snapshot(start, away):
    health = start(away).health()
    assert health.failing_since is not None
    assert (health.is_from_disk, health.is_empty) == (False, True)


# Faults


@pytest.mark.parametrize(
    "damaged",
    [
        b"",
        b"{",
        b"[]",
        b"{}",
        b"null",
        b"\xff",
        to_json(SNAPSHOT)[:-9],
        to_json(SNAPSHOT).replace(b'"version": 1', b'"version": 2'),
        to_json(SNAPSHOT).replace(b'"secret"', b"1"),
        to_json(SNAPSHOT).replace(b'"published": 3', b'"published": null'),
        to_json(Snapshot()).replace(b'"keyvalues": {}', b'"keyvalues": []'),
    ],
)
def test_damaged_file_is_ignored_with_a_line(start, path, away, damaged, caplog):
    path.parent.mkdir()
    path.write_bytes(damaged)
    assert start(away).current() == Snapshot()
    assert f"Ignored {path}" in caplog.text
    away.is_away = False
    away.now += 1
    assert start(away).current() == SNAPSHOT
    assert json.loads(path.read_bytes())["version"] == 1


def test_full_disk_stops_nothing_and_is_logged_once(start, path, monkeypatch, caplog):
    start(BackEnd()).current()
    before = path.read_bytes()

    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(snapshot_file.os, "fsync", full)
    back_end = BackEnd()
    keeper = start(back_end)
    for number in range(5):
        back_end.snapshot = Snapshot(etag=f"f{number}", published=4)
        assert keeper.current().etag == f"f{number}"
        back_end.now += 1
    assert caplog.text.count("No space left on device") == 1
    assert path.read_bytes() == before
    assert os.listdir(path.parent) == [path.name]
    monkeypatch.undo()
    back_end.snapshot = SNAPSHOT
    keeper.current()
    assert json.loads(path.read_bytes())["etag"] == "e1"


def test_unreadable_file_is_ignored(start, path, away, caplog):
    path.mkdir(parents=True)
    assert start(away).current() == Snapshot()
    assert "Is a directory" in caplog.text


def test_folder_that_cannot_be_made_is_logged(away, caplog):
    away.is_away = False
    file = SnapshotFile(Path("/proc/no-such-folder/snapshot.json"))
    keeper = SnapshotKeeper(read=away.read, changed=lambda snapshot: None, file=file)
    assert keeper.current() == SNAPSHOT
    assert "Could not write" in caplog.text
