"""The progress bar of a push: only on a terminal, with files, bytes and rate."""

import io
import sys
from types import SimpleNamespace

import pytest

from deployments.releases.manifest import from_bytes
from qdn.progress import progress_of
from tests.edge.backends.test_backend_contract import new_object


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def plan():
    uploads = [from_bytes(f"{n}.txt", b"x" * 1_000) for n in range(3)]
    return SimpleNamespace(uploads=uploads, copies=["one"])


def shown(plan, monkeypatch, stream, *, quiet=False):
    monkeypatch.setattr(sys, "stdout", stream)
    with progress_of(plan, quiet=quiet) as on_stored:
        for number in range(3):
            on_stored(new_object(f"{number}", b"x" * 1_000))
        on_stored(new_object("copy", b"x" * 1_000, copy_of="a"))
    return stream.getvalue()


def test_terminal_shows_files_bytes_and_rate(plan, monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    text = shown(plan, monkeypatch, Terminal())
    assert "4 of 4 files, 3.0 kB of 3.0 kB" in text
    assert "B/s" in text


def test_pipe_and_quiet_show_nothing(plan, monkeypatch):
    assert shown(plan, monkeypatch, io.StringIO()) == ""
    assert shown(plan, monkeypatch, Terminal(), quiet=True) == ""
