"""Fixtures of all tests."""

import hypothesis
import pytest
from django.contrib.auth.hashers import PBKDF2PasswordHasher

from deployments.routing import functions
from tests.clocks import DatabaseClock

# No time limits: on a busy machine they would fail for reasons outside the code. The same examples
# in each run, so that one is as good as another; "explore" draws new ones.
hypothesis.settings.register_profile(
    "explore", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.register_profile(
    "same", hypothesis.settings.get_profile("explore"), derandomize=True
)
hypothesis.settings.load_profile("same")

# As many rounds as Django's would take a quarter of a second for every password a test sets.
PBKDF2PasswordHasher.iterations = 1

pytest_plugins = ["tests.aws.fixtures"]

# Files that take long, or wait for processes most of the time. They come first: a worker that had
# one of them last would run it alone. None of them empties the database: pytest-django lets tests
# that do come last, because rows get other ids after them.
FIRST = (
    "tests/tasks/test_kills.py",
    "tests/tasks/test_tracking_check.py",
    "tests/aws/",
    "tests/attacks/test_scripts.py",
    "tests/server/",
    "tests/test_",
    "tests/builds/",
    "tests/sites/",
    "tests/pages/",
)


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: not item.nodeid.startswith(FIRST))


@pytest.fixture(autouse=True)
def own_folders(settings, tmp_path):
    """Give each test its own folders instead of the developer's."""
    settings.EDGE_STORE_DIR = tmp_path / "store"
    settings.EDGE_SNAPSHOT_FILE = tmp_path / "edge-snapshot.json"
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.STATIC_ROOT = tmp_path / "static"
    settings.STATIC_ROOT.mkdir()


@pytest.fixture
def ship_function(monkeypatch):
    """Return a function that replaces the source of the shipped edge function."""
    return lambda source: monkeypatch.setattr(functions, "function_source", lambda: source)


@pytest.fixture
def database_clock(monkeypatch):
    """The database's clock, which the test can shift or stop."""
    return DatabaseClock(monkeypatch)
