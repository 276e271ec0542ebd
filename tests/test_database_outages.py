"""A database that is down, missing or not migrated: every command ends with one line."""

import os
import subprocess
import sys
from io import StringIO

import pytest
from django.core.management import CommandError, call_command, get_commands
from django.db import OperationalError, ProgrammingError, connections
from django.db.utils import load_backend

from qdn.outages import outage_of
from tests.test_processes import ROOT

JOB = (
    "--name=Ann Birch",
    "--phone=907-555-0155",
    "--address=12 Chena Ridge Road, Fairbanks, 99709",
)
# The least that each command needs.
ARGUMENTS = {
    "backup": ("unused-backup",),
    "build": (f"--repository={ROOT}", "--branch=main", f"--commit={'0' * 40}"),
    "builds": (),
    "create_job": JOB,
    "demo": (),
    "diff": ("20260101-000000-aaaaaaaa", "20260101-000000-bbbbbbbb"),
    "doctor": (),
    "environment": ("list",),
    "export_jobs": (),
    "freeze": ("--reason=x",),
    "history": (),
    "hooks": ("list",),
    "iam_policy": ("--role=read",),
    "import_jobs": ("unused.json",),
    "init": (str(ROOT), "--command=true", "--output=.", "--dry-run"),
    "invalidate": ("/book/", "--yes"),
    "job_status": ("QDN-1", "scheduled"),
    "maintenance": ("on", "--environment=staging", "--yes"),
    "metrics": (),
    "pin": ("20260101-000000-aaaaaaaa",),
    "previews": (),
    "preview": ("20260101-000000-aaaaaaaa",),
    "promote": ("--yes",),
    "provision": ("--environment=staging", "--yes"),
    "prune": ("--yes",),
    "publish_tracking": (),
    "push": (),
    "push_functions": (),
    "rebuild_history": (),
    "releases": (),
    "restore": (str(ROOT / "tests/upgrade"), "--yes"),
    "rollback": ("--yes",),
    "service_area": ("list",),
    "status": (),
    "tokens": ("list",),
    "unfreeze": (),
    "unpin": ("20260101-000000-aaaaaaaa",),
    "verify": (),
}
SERVERS = {"runserver", "work"}
# doctor makes the outage a finding; init writes a file; metrics asks only the back end, and the
# local one has none; restore looks at the backup first, and makes the tables.
READING = sorted(set(ARGUMENTS) - {"doctor", "init", "metrics", "restore"})
DOWN = {"ENGINE": "django.db.backends.postgresql", "HOST": "127.0.0.1", "PORT": "1", "NAME": "x"}


@pytest.fixture
def use(django_db_blocker):
    """Return a function that makes the commands use another database."""
    original = connections["default"]

    def use(**database):
        values = {**original.settings_dict, "OPTIONS": {}, "USER": "x", **database}
        connections["default"] = load_backend(values["ENGINE"]).DatabaseWrapper(values, "default")

    with django_db_blocker.unblock():
        yield use
        connections["default"].close()
    connections["default"] = original


@pytest.fixture
def use_empty(use, tmp_path):
    """Use a database without tables."""
    use(ENGINE="django.db.backends.sqlite3", NAME=str(tmp_path / "empty.sqlite3"))


def failed(name):
    """Run a command that must fail; return its exit code and message, which is one line."""
    with pytest.raises(CommandError) as ended:
        call_command(name, *ARGUMENTS[name], stdout=StringIO())
    assert "\n" not in str(ended.value)
    return ended.value.returncode, str(ended.value)


@pytest.fixture(autouse=True)
def development(settings):
    settings.DEBUG = True  # for demo


def test_every_command_is_in_the_table():
    """A new command needs a row in ARGUMENTS, or a place in SERVERS if it keeps running."""
    ours = {name for name, app in get_commands().items() if app == "qdn"}
    assert set(ARGUMENTS) | SERVERS == ours


@pytest.mark.parametrize("name", READING)
def test_database_that_is_down(use, name):
    use(**DOWN)
    code, message = failed(name)
    assert (code, "Check DATABASE_URL" in message) == (4, True)
    assert f"Run: manage.py {name}" in message


@pytest.mark.parametrize("name", READING)
def test_database_that_is_not_migrated(use_empty, name):
    code, message = failed(name)
    assert code == 1
    assert message.endswith("migrations. Run: manage.py migrate")


def test_sqlite_file_that_cannot_be_opened(use, tmp_path):
    use(ENGINE="django.db.backends.sqlite3", NAME=str(tmp_path / "nowhere/db.sqlite3"))
    code, message = failed("status")
    assert (code, "nowhere/db.sqlite3 can be written" in message) == (4, True)


def test_command_that_deploys_says_that_nothing_was_changed(use):
    use(**DOWN)
    assert "Nothing was changed. Run: manage.py promote --yes" in failed("promote")[1]


@pytest.mark.parametrize(("database", "hint"), [(DOWN, "DATABASE_URL"), (None, "migrate")])
def test_doctor_makes_it_a_finding(use, tmp_path, database, hint):
    empty = {"ENGINE": "django.db.backends.sqlite3", "NAME": str(tmp_path / "empty.sqlite3")}
    use(**(database or empty))
    out = StringIO()
    with pytest.raises(CommandError) as ended:
        call_command("doctor", stdout=out)
    assert ended.value.returncode == 1
    assert hint in out.getvalue()


def test_locked_database_is_an_outage(use, tmp_path):
    use(ENGINE="django.db.backends.sqlite3", NAME=str(tmp_path / "db.sqlite3"))
    call_command("migrate", verbosity=0)
    assert outage_of(OperationalError("database is locked")).code == 4
    assert outage_of(ProgrammingError("a query with a mistake")) is None
    assert outage_of(ValueError("x")) is None


def run(folder, *arguments, **variables):
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        env={**os.environ, "DATA_DIR": str(folder), **variables},
        cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
        check=False,
    )  # fmt: skip


@pytest.mark.parametrize("name", ["migrate", "axes_reset"])
def test_commands_of_others_say_it_too(tmp_path, name):
    done = run(tmp_path, name, DATABASE_URL="postgres://x@127.0.0.1:1/x")
    assert done.returncode == 4
    (line,) = done.stderr.splitlines()
    assert line.endswith(f"Run: manage.py {name}")


def test_traceback_on_request(tmp_path):
    done = run(tmp_path, "axes_reset", "--traceback", DATABASE_URL="postgres://x@127.0.0.1:1/x")
    assert "Traceback" in done.stderr


def test_job_is_created_while_redis_is_down(tmp_path):
    """Publishing follows once Redis is back, so nothing failed; the log says it in one line."""
    database = f"sqlite:///{tmp_path}/db.sqlite3"
    assert run(tmp_path, "migrate", "--verbosity=0", DATABASE_URL=database).returncode == 0
    redis = "redis://127.0.0.1:1/0"
    done = run(tmp_path, "create_job", *JOB, DATABASE_URL=database, REDIS_URL=redis)
    assert (done.returncode, "/track/" in done.stdout) == (0, True)
    lines = done.stderr.splitlines()
    assert lines
    assert all("Redis does not answer" in line and "Check REDIS_URL" in line for line in lines)


def test_doctor_reports_that_redis_is_down(tmp_path):
    database = f"sqlite:///{tmp_path}/db.sqlite3"
    run(tmp_path, "migrate", "--verbosity=0", DATABASE_URL=database)
    done = run(tmp_path, "doctor", DATABASE_URL=database, REDIS_URL="redis://127.0.0.1:1/0")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "Check REDIS_URL" in done.stdout
