"""Fixtures of the attacks: an installation with one row of everything."""

import pytest
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, transaction
from django.test import override_settings

from edge.backends import get_backend
from tests.attacks import world


@pytest.fixture(scope="module")
def installation(django_db_setup, django_db_blocker, tmp_path_factory):
    """One installation for all tests of a file, in a transaction that is rolled back.

    Returns the folder of its object store. What a test writes is rolled back too: each has
    pytest.mark.django_db, which puts a savepoint around it.
    """
    store = tmp_path_factory.mktemp("installation") / "store"
    media = store.parent / "media"
    own = override_settings(EDGE_STORE_DIR=store, MEDIA_ROOT=media, EDGE_PROBE_SECONDS=0)
    signals = (request_started, request_finished)
    for signal in signals:  # a request would close the connection, and with it the transaction
        signal.disconnect(close_old_connections)
    with django_db_blocker.unblock(), transaction.atomic(), own:
        yield store
        transaction.set_rollback(True)
    for signal in signals:
        signal.connect(close_old_connections)


@pytest.fixture(scope="module")
def users(installation):
    """The users of the roles, in an installation with a row of everything."""
    return world.make_all(get_backend(), installation.parent / "sites")


@pytest.fixture(autouse=True)
def its_store(request, settings, own_folders):
    """Let views read the installation's store instead of the test's own."""
    if "installation" in request.fixturenames:
        settings.EDGE_STORE_DIR = request.getfixturevalue("installation")
        settings.MEDIA_ROOT = settings.EDGE_STORE_DIR.parent / "media"
        settings.EDGE_PROBE_SECONDS = 0
