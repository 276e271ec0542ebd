"""Commands run as processes, as from a shell, on a fresh installation."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.deployments.sites import write_site
from tests.migrated import OURS, put_database

ROOT = Path(__file__).resolve().parent.parent


class Installation:
    """A fresh installation in a folder."""

    def __init__(self, folder):
        self.folder = folder
        inherited = {name: value for name, value in os.environ.items() if name not in OURS}
        self.environ = {**inherited, "DATA_DIR": str(folder / "var"), "PYTHONWARNINGS": "error"}
        self.environ["EDGE_PROBE_SECONDS"] = "1"
        put_database(folder / "var")

    def start(self, *arguments):
        return subprocess.Popen(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def manage(self, *arguments):
        process = self.start(*arguments)
        out, err = process.communicate(timeout=120)
        return subprocess.CompletedProcess(arguments, process.returncode, out, err)

    def json(self, *arguments):
        done = self.manage(*arguments, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def push(self, mark):
        site = write_site(self.folder / f"site-{mark}", mark=mark)
        return self.json("push", "--source", str(site))["release"]


@pytest.fixture(scope="module")
def installation(tmp_path_factory):
    return Installation(tmp_path_factory.mktemp("installation"))


def test_two_promotions_at_once_make_one_switch(installation):
    release = installation.push("A")
    both = [installation.start("promote", "--yes") for _ in range(2)]
    codes = sorted(
        process.wait(timeout=120) for process in both if process.communicate(timeout=120)
    )
    assert codes in ([0, 0], [0, 3])
    rows = installation.json("history", "--environment", "production")
    assert [(row["release"], row["result"]) for row in rows] == [(release, "succeeded")]
    status = {row["environment"]: row for row in installation.json("status")}["production"]
    assert (status["release"], status["drift"]) == (release, [])


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["promote", "--from", "moon", "--yes"], 1),
        (["rollback", "20200101-000000-00000000", "--yes"], 1),
        (["push", "--source", "/nowhere"], 1),
        (["promote", "--no-such-flag"], 2),
        (["job_status", "QDN-1", "scheduled"], 1),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else str(value),
)
def test_refusals_are_one_line_on_stderr_and_an_exit_code(installation, arguments, code):
    done = installation.manage(*arguments)
    assert done.returncode == code
    if code == 1:
        assert len(done.stderr.strip().splitlines()) == 1
    assert "Traceback" not in done.stderr
