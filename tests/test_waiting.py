"""The web server gives up on a lock before people do."""

import pytest
from django.db import connections
from django.db.backends.signals import connection_created

from qdn.waiting import wait_at_most

ASK = {"sqlite": "PRAGMA busy_timeout", "postgresql": "SHOW lock_timeout"}


@pytest.mark.django_db
def test_connections_opened_from_now_on_wait_less():
    wait_at_most(seconds=1.5)
    connection = connections.create_connection("default")
    try:
        with connection.cursor() as cursor:
            cursor.execute(ASK[connection.vendor])
            (answer,) = cursor.fetchone()
    finally:
        connection.close()
        connection_created.disconnect(dispatch_uid="qdn.waiting")
    assert answer in (1500, "1500ms")
