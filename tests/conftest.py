"""Fixtures of all tests."""

import hypothesis
import pytest

from deployments.routing import functions

# No time limits: on a busy machine they would fail for reasons outside the code.
hypothesis.settings.register_profile(
    "busy machine", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("busy machine")

pytest_plugins = ["tests.aws.fixtures"]


@pytest.fixture(autouse=True)
def own_folders(settings, tmp_path):
    """Give each test its own folders instead of the developer's."""
    settings.EDGE_STORE_DIR = tmp_path / "store"
    settings.STATIC_ROOT = tmp_path / "static"
    settings.STATIC_ROOT.mkdir()


@pytest.fixture
def ship_function(monkeypatch):
    """Return a function that replaces the source of the shipped edge function."""
    return lambda source: monkeypatch.setattr(functions, "function_source", lambda: source)
