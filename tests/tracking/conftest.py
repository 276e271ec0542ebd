"""Fixtures for links, shared with the jobs' tests."""

from tests.dispatch.conftest import shared_database, together

__all__ = ["shared_database", "together"]
