"""An installation with demo data, and the project under gunicorn in front of it."""

import pytest

from tests.server.servers import gunicorn
from tests.test_processes import Installation


@pytest.fixture(scope="session")
def installation(tmp_path_factory):
    """Return an installation whose production serves the pages of the repository."""
    installation = Installation(tmp_path_factory.mktemp("served"))
    installation.environ |= {"DEBUG": "true", "PYTHONWARNINGS": "default"}
    done = installation.manage("demo")
    assert done.returncode == 0, done.stderr
    return installation


@pytest.fixture(scope="session")
def web(installation):
    """Return the port of the project as bin/demo runs it, without a proxy, in one process."""
    with gunicorn(installation.environ, "--workers=1") as server:
        yield server.port
