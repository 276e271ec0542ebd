"""Builds in this process, of real repositories, with real commands."""

import pytest

from builds.models import Build
from builds.receive import receive
from deployments.models import Environment
from edge.backends import get_backend
from tests.builds.origin import Origin


@pytest.fixture
def origin(tmp_path):
    return Origin(tmp_path)


@pytest.fixture
def backend(db, settings, tmp_path, monkeypatch):
    """A back end; builds make their folders where the test can look for them."""
    settings.EDGE_PROBE_SECONDS = 0
    (tmp_path / "builds").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "builds"))
    return get_backend()


@pytest.fixture
def staging(backend):
    return Environment.objects.get(name="staging")


@pytest.fixture
def served(backend):
    """Return a function that returns what a host answers."""
    return lambda host="staging.localhost": backend.viewer.fetch(host, "/").body.decode()


class Pusher:
    """Has commits built as a hook does."""

    def __init__(self, origin, folders):
        self.origin, self.folders, self.said = origin, folders, []

    def push(self, commit, *, branch="main", before=""):
        """Build a commit and return its row. Raises as `receive` does, with the row in `last`."""
        return receive(
            repository=self.origin.bare,
            branch=branch,
            commit=commit,
            before=before,
            actor="olga",
            say=self.said.append,
        )

    @property
    def last(self):
        return Build.objects.latest("pk")

    @property
    def left(self):
        """The folders that are still there."""
        return list(self.folders.iterdir())


@pytest.fixture
def pusher(backend, origin, tmp_path):
    return Pusher(origin, tmp_path / "builds")
