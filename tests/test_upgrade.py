"""A database and a store made before the packages were regrouped upgrade in place.

tests/upgrade/191aa68.zip is the data folder that commit made: release A, then B, both promoted; a
job; and five tasks in the queue, among them a rollback confirmed in the admin.
"""

import json
import os
import sqlite3
import subprocess
import sys
import time
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
A, B = "20261121-171100-d8606a07", "20261121-171103-90a1a865"


@pytest.fixture
def data(tmp_path):
    zipfile.ZipFile(ROOT / "tests/upgrade/191aa68.zip").extractall(tmp_path)
    return tmp_path


@pytest.fixture
def start(data):
    """Start a command on the old data, as a process of its own."""
    environ = {
        "PATH": os.environ["PATH"],
        "DATA_DIR": str(data),
        "SECRET_KEY": "x",  # signed the queued tasks
        "DEBUG": "true",
    }

    def start(*words):
        return subprocess.Popen(
            [sys.executable, ROOT / "manage.py", *words],
            env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip

    return start


@pytest.fixture
def manage(start):
    """Run a command; return its JSON, if any."""

    def run(*words):
        process = start(*words)
        output, _ = process.communicate(timeout=120)
        assert process.returncode == 0, output
        return json.loads(output) if "--json" in words else None

    return run


def query(data, text, *values):
    with sqlite3.connect(data / "db.sqlite3") as database:
        return database.execute(text, values).fetchall()


def rule_of(data, key):
    with (data / "store" / f"{key}~").open("rb") as file:
        return json.loads(file.readline())["cache_control"]


def run_queue(start, data):
    """Let `work` do what was queued; its own heartbeats come after that."""
    last = query(data, "SELECT max(id) FROM django_q_ormq")[0][0]
    with start("work") as cluster:
        deadline = time.monotonic() + 120
        while query(data, "SELECT count(*) FROM django_q_ormq WHERE id <= ?", last) != [(0,)]:
            assert time.monotonic() < deadline, "the queue is not empty after two minutes"
            time.sleep(0.5)
        cluster.terminate()
        cluster.communicate(timeout=60)


def test_upgrade_in_place(data, start, manage):
    manage("migrate", "--verbosity=0")
    rows = {row["environment"]: row for row in manage("verify", "--json")}
    assert "s-maxage" in rule_of(data, "errors/404.html")
    assert {name: (row["release"], row["drift"]) for name, row in rows.items()} == {
        "staging": (B, []),
        "production": (B, []),
    }
    # A confirmed operation lapses after minutes; this one was confirmed just now.
    now = datetime.now(UTC).replace(tzinfo=None).isoformat(" ")
    query(data, "UPDATE deployments_operation SET asked_at = ?", now)
    assert query(data, "SELECT count(*) FROM django_q_ormq") == [(5,)]
    run_queue(start, data)
    assert query(data, "SELECT func FROM django_q_task WHERE success = 0") == []
    assert query(data, "SELECT state FROM deployments_operation") == [("done",)]
    rows = {row["environment"]: row for row in manage("status", "--json")}
    assert (rows["production"]["release"], rows["production"]["previous"]) == (A, None)
    manage("rollback", B, "--yes")
    assert [row["drift"] for row in manage("verify", "--json")] == [[], []]
    # Caches between the edge and viewers kept it for a year.
    assert rule_of(data, "errors/404.html") == "no-store"
    assert "s-maxage" in rule_of(data, f"releases/{B}/404.html")
