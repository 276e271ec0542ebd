"""Fixtures for jobs."""

import fcntl
import sqlite3
import threading

import pytest
from django.contrib.auth.models import Group, User
from django.db import connections

from dispatch.seeding import DISPATCHERS


@pytest.fixture(autouse=True)
def time_zone(settings):
    """Run these tests in Denver's time zone, not the default one."""
    settings.TIME_ZONE = "America/Denver"


@pytest.fixture
def dispatcher(db):
    user = User.objects.create_user("dana", is_staff=True)
    user.groups.add(Group.objects.get(name=DISPATCHERS))
    return user


@pytest.fixture
def desk(client, dispatcher):
    """A test client logged in as a dispatcher."""
    client.force_login(dispatcher)
    return client


@pytest.fixture
def shared_database(transactional_db, tmp_path):
    """A database that threads share as processes do.

    Tests use SQLite in memory, where a second connection fails instead of waiting for the lock.
    So this copies it to a file, as in production. Other databases are used unchanged.
    """
    memory = connections["default"]
    if memory.vendor != "sqlite":
        yield
        return
    memory.ensure_connection()
    name, path = memory.settings_dict["NAME"], tmp_path / "shared.sqlite3"
    with sqlite3.connect(path) as copy:
        memory.connection.backup(copy)
        # Stored in the file, so that threads need not switch modes, which fails when concurrent.
        copy.execute("PRAGMA journal_mode=WAL")
    copy.close()
    memory.settings_dict["NAME"] = str(path)
    connections["default"] = connections.create_connection("default")
    yield
    connections["default"].close()
    memory.settings_dict["NAME"] = name
    connections["default"] = memory


@pytest.fixture
def together(shared_database, tmp_path_factory):
    """Call a function in several threads at once; return what each returned or raised.

    One test does this at a time: a PostgreSQL server takes 100 connections by default, which two
    test processes would exceed with 64 threads each.
    """
    turn = tmp_path_factory.getbasetemp().parent / "together.lock"

    def run(function, times=6):
        with turn.open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            return run_at_once(function, times)

    def run_at_once(function, times):
        results, start = [], threading.Barrier(times)

        def call():
            try:
                start.wait()
                results.append(function())
            except Exception as error:
                results.append(error)
            finally:
                connections.close_all()

        threads = [threading.Thread(target=call) for _ in range(times)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=60)
        return results

    return run
