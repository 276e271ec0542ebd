"""Fixtures for links, shared with the jobs' tests."""

from tests.dispatch.conftest import desk, dispatcher, shared_database, together

__all__ = ["desk", "dispatcher", "shared_database", "together"]
