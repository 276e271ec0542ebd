"""Fixtures for links: threads that share a database come from the jobs' tests."""

from tests.dispatch.conftest import shared_database, together

__all__ = ["shared_database", "together"]
