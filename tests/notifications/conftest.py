"""Fixtures for messages."""

import pytest

from tests.dispatch.conftest import desk, dispatcher, shared_database, together
from tests.notifications.server import MailServer

__all__ = ["desk", "dispatcher", "shared_database", "together"]


@pytest.fixture(autouse=True)
def time_zone(settings):
    """Run these tests in Denver's time zone, not the default one."""
    settings.TIME_ZONE = "America/Denver"


@pytest.fixture
def server(settings):
    """A mail server that answers, and settings that send to it."""
    server = MailServer()
    server.start()
    settings.EMAIL_BACKEND = "notifications.channels.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = server.hostname, server.port
    settings.EMAIL_TIMEOUT = 5
    yield server
    server.stop()
