import dataclasses

import pytest

from deployments.models import Environment
from edge.backends import get_backend
from tests.deployments.desks import Desk
from tests.deployments.sites import Operator


@pytest.fixture
def backend(db, settings):
    settings.EDGE_PROBE_SECONDS = 0
    return get_backend()


@pytest.fixture
def staging(db):
    return Environment.objects.get(name="staging")


@pytest.fixture
def production(db):
    return Environment.objects.get(name="production")


@pytest.fixture
def operator(backend, tmp_path):
    return Operator(backend, tmp_path)


@pytest.fixture
def replaced(backend):
    """Return a function that returns the back end with some parts replaced."""
    return lambda **parts: dataclasses.replace(backend, **parts)


@pytest.fixture
def two(operator):
    """A is live in production, B in staging."""
    releases = [operator.push("A")]
    operator.promote()
    return [*releases, operator.push("B")]


@pytest.fixture
def desk(admin_client, production):
    return Desk(admin_client, production)
