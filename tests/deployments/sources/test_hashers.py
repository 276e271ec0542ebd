"""Hashing by helpers: the same digests as without, whatever becomes of a helper."""

import hashlib
import os
import sys

import pytest

from deployments.sources import digests, hashers
from deployments.sources.digests import hash_file

SIZES = (0, 1, 2**18, 2**18 + 1, 7, 7, 3, 3, 3, 3, 3)
pytestmark = pytest.mark.usefixtures("helped")


@pytest.fixture
def helped(monkeypatch):
    """Have two helpers, on any machine."""
    monkeypatch.setattr(os, "cpu_count", lambda: 3)
    monkeypatch.setattr(hashers, "FILES_EACH", 2)


@pytest.fixture
def paths(tmp_path):
    made = []
    for number, size in enumerate(SIZES):
        path = tmp_path / f"{number} ä\n{number % 3}"
        path.write_bytes(bytes([number]) * size)
        made.append(str(path))
    return made


@pytest.fixture
def started(monkeypatch):
    """Watch what is run."""
    real, processes = hashers._started, []

    def watching(names, answers):
        processes.append(real(names, answers))
        return processes[-1]

    monkeypatch.setattr(hashers, "_started", watching)
    return processes


@pytest.fixture
def hashed_here(monkeypatch):
    """Watch what this process hashes."""
    seen = []
    monkeypatch.setattr(hashers, "hash_file", lambda path: (seen.append(path), hash_file(path))[1])
    return seen


def expected():
    bodies = [bytes([number]) * size for number, size in enumerate(SIZES)]
    return [(hashlib.sha256(body).hexdigest(), len(body)) for body in bodies]


def hash_all(paths):
    with hashers.hashing(paths) as finished:
        return finished()


def test_helpers_hash_everything(paths, started, hashed_here):
    assert hash_all(paths) == expected()
    assert [process.returncode for process in started] == [0, 0]
    assert hashed_here == paths[:: hashers.OWN]


@pytest.mark.parametrize("cores", [None, 1])
def test_without_a_core_to_spare_no_helper_is_asked(
    paths, started, hashed_here, monkeypatch, cores
):
    monkeypatch.setattr(os, "cpu_count", lambda: cores)
    assert hash_all(paths) == expected()
    assert sorted(hashed_here) == sorted(paths)
    assert started == []


def test_few_files_are_hashed_here(paths, started, monkeypatch):
    monkeypatch.setattr(hashers, "FILES_EACH", len(SIZES) + 1)
    assert hash_all(paths) == expected()
    assert started == []


@pytest.mark.parametrize("executable", ["", "/nowhere/python", "false"])
def test_helpers_that_cannot_run_cost_nothing_but_time(paths, hashed_here, monkeypatch, executable):
    monkeypatch.setattr(sys, "executable", executable)
    assert hash_all(paths) == expected()
    assert sorted(hashed_here) == sorted(paths)


def test_a_helper_killed_midway_is_not_believed(paths, started, hashed_here, monkeypatch, tmp_path):
    cut_short = tmp_path / "digests.py"
    cut_short.write_text("import os; print('0' * 64, 3, flush=True); os.kill(os.getpid(), 9)")
    monkeypatch.setattr(digests, "__file__", str(cut_short))
    assert hash_all(paths) == expected()
    assert sorted(hashed_here) == sorted(paths)
    assert [process.returncode for process in started] == [-9, -9]


def test_no_room_for_temporary_files_is_no_fault_of_the_files(paths, hashed_here, monkeypatch):
    def full():
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(hashers, "TemporaryFile", full)
    assert hash_all(paths) == expected()
    assert sorted(hashed_here) == sorted(paths)


@pytest.mark.parametrize("number", [hashers.OWN, hashers.OWN + 1])
def test_a_file_that_went_away_is_told_by_its_name(paths, number):
    """Here, or to a helper."""
    os.unlink(paths[number])
    with pytest.raises(FileNotFoundError) as error, hashers.hashing(paths) as finished:
        finished()
    assert error.value.filename == paths[number]


def test_no_helper_outlives_the_block(paths, started):
    with pytest.raises(KeyboardInterrupt), hashers.hashing(paths):
        raise KeyboardInterrupt
    assert len(started) == 2
    assert all(process.returncode is not None for process in started)


def test_a_helper_whose_answer_nobody_reads_ends_by_itself(paths, started):
    """However long its answer: nothing of it stands in a pipe that somebody must read."""
    with hashers._helping(paths * 1000), started[0] as process:
        assert process.wait(timeout=30) == 0
