import pytest

from tests.dispatch.conftest import desk, dispatcher, shared_database, together

__all__ = ["desk", "dispatcher", "shared_database", "together"]


@pytest.fixture(autouse=True)
def time_zone(settings):
    """Run these tests in Denver's time zone, not the default one."""
    settings.TIME_ZONE = "America/Denver"
