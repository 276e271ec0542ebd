import pytest

from deployments.environments.apply import set_environment
from deployments.environments.changes import Changes
from deployments.models import Environment
from deployments.push import push
from edge.backends import get_backend
from tests.deployments.sites import Operator
from tests.sites.built import SITES
from tests.sites.variants import archive_of

HOST = "staging.localhost"


def each(chosen=None):
    """Return sites, by default all, as parameters of a test."""
    return [pytest.param(site, id=site.name) for site in chosen or SITES.values()]


@pytest.fixture
def backend(db, settings):
    settings.EDGE_PROBE_SECONDS = 0
    return get_backend()


@pytest.fixture
def pushed(db, tmp_path):
    """Return a function that pushes a site to staging, set up as the site needs it."""

    def push_site(backend, site, source=None):
        staging = Environment.objects.get(name="staging")
        caller = Operator(backend, tmp_path).caller
        changes = Changes(application=not site.owns_paths, headers=dict(site.headers) or None)
        set_environment(backend, staging, changes, caller=caller)
        staging.refresh_from_db()
        return push(backend, staging, caller=caller, source=source or archive_of(site.name)).release

    return push_site
