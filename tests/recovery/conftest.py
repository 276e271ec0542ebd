"""Fixtures: a database that second connections can read, and new ones to restore into."""

import json
from contextlib import suppress
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connections

from edge.backends import get_backend
from tests.deployments.sites import Operator
from tests.dispatch.conftest import shared_database

__all__ = ["shared_database"]


@pytest.fixture(autouse=True)
def folders(settings, tmp_path):
    settings.EDGE_PROBE_SECONDS = 0
    settings.MEDIA_ROOT = tmp_path / "media"


@pytest.fixture
def place(tmp_path):
    return str(tmp_path / "backups")


@pytest.fixture
def backend(shared_database):
    return get_backend()


@pytest.fixture
def operator(backend, tmp_path):
    return Operator(backend, tmp_path)


@pytest.fixture
def new_database(shared_database, tmp_path):
    """Return a function that leads the default connection to a new database without tables."""
    first, made = connections["default"], []

    def make():
        is_file = first.vendor == "sqlite"
        own = first.settings_dict["NAME"]
        name = str(tmp_path / f"{len(made)}.sqlite3") if is_file else f"{own}_{len(made)}"
        if not is_file:
            with first.cursor() as cursor:
                cursor.execute(f"DROP DATABASE IF EXISTS {name}")
                cursor.execute(f"CREATE DATABASE {name}")
        made.append(name)
        other = first.copy()
        other.settings_dict["NAME"] = name
        connections["default"] = other
        return other

    yield make
    with suppress(AttributeError):
        connections["default"].close()
    connections["default"] = first
    for name in made if first.vendor != "sqlite" else ():
        with first.cursor() as cursor:
            cursor.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


@pytest.fixture
def run():
    """Run a command with --json; return its output."""

    def run(*words, **options):
        out = StringIO()
        call_command(*words, json=True, stdout=out, **options)
        return json.loads(out.getvalue())

    return run


@pytest.fixture
def refused(run):
    """Run a command that must fail; return its exit code and its message of one line."""

    def refused(*words, **options):
        with pytest.raises(CommandError) as failed:
            run(*words, **options)
        assert "\n" not in str(failed.value)
        return failed.value.returncode, str(failed.value)

    return refused
