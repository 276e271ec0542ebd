"""`git push` to a repository that init made, with real processes from the hook on."""

import json
import os
import re
import signal
import sqlite3
import subprocess
import time
from contextlib import closing
from pathlib import Path

import pytest

from deployments.locks.lease import is_running
from tests.builds.origin import COPY, QUIET, git, settings_with
from tests.test_processes import Installation

# Shows itself by a file that the test waits for, with the processes of keeper and command in it.
SLOW = 'echo "$PPID $$" > {marker}.new; mv {marker}.new {marker}; sleep 600'


class Site:
    """A clone of the repository, and what is installed."""

    def __init__(self, installation, folder):
        self.installation, self.folder, self.bare = installation, folder, folder / "site.git"
        self.environ = installation.environ | {"TMPDIR": str(folder / "tmp")}
        (folder / "tmp").mkdir()
        (folder / "work").mkdir()
        git(folder / "work", "init", "--quiet", "--initial-branch=main")

    def commit(self, mark, command=COPY, *, work="work"):
        (self.folder / work / "page.html").write_text(f"<!doctype html><title>{mark}</title>")
        (self.folder / work / "qdn.toml").write_text(settings_with(command))
        git(self.folder / work, "add", "--all")
        git(self.folder / work, "commit", "--quiet", "--allow-empty", f"--message={mark}")

    def push(self, *, work="work"):
        """Push main as it is; return exit code and what the pusher sees."""
        arguments = ("push", "--force", str(self.bare), "main")
        done = git(self.folder / work, *arguments, environ=self.environ, check=False)
        return done.returncode, done.stderr

    def start_push(self):
        return subprocess.Popen(
            ["git", "push", "--force", str(self.bare), "main"],
            cwd=self.folder / "work",
            env={**self.environ, **QUIET},
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )

    @property
    def tip(self):
        return git(self.bare, "rev-parse", "--verify", "main", check=False).stdout.strip()

    @property
    def builds(self):
        """State and detail of the builds, newest first."""
        with closing(sqlite3.connect(self.folder / "var/db.sqlite3")) as database:
            rows = database.execute("SELECT state, detail FROM builds_build ORDER BY id DESC")
            return rows.fetchall()

    @property
    def live(self):
        """Return the mark of the page that staging serves."""
        query = "SELECT message FROM deployments_release WHERE name = ?"
        with closing(sqlite3.connect(self.folder / "var/db.sqlite3")) as database:
            key = "SELECT value FROM edge_keyvalue WHERE key = 'host:staging.localhost'"
            (route,) = database.execute(key).fetchone()
            return database.execute(query, [json.loads(route)["r"]]).fetchone()[0]

    @property
    def left(self):
        return list((self.folder / "tmp").glob("qdn-build-*"))


def wait_for(marker: Path):
    until = time.monotonic() + 60
    while not marker.exists():
        assert time.monotonic() < until, f"{marker} did not appear"
        time.sleep(0.05)
    return [int(pid) for pid in marker.read_text().split()]


def wait_for_end(*pids):
    until = time.monotonic() + 60
    while any(map(is_running, pids)):
        assert time.monotonic() < until, "the command survived its builder"
        time.sleep(0.05)


def parent_of(pid):
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    site = Site(Installation(folder), folder)
    options = ("--command", COPY, "--output", "out", "--git", str(site.bare))
    made = site.installation.json("init", str(folder / "work"), *options)
    assert (made["written"], made["branches"]) == (True, {"main": "staging"})
    site.commit("A")
    code, said = site.push()
    assert code == 0, said
    site.said = said
    site.pushed = (site.tip, site.live, site.builds, site.left)
    return site


def test_push_goes_live(site):
    tip, live, builds, left = site.pushed
    assert (live, builds, left) == ("A", [("deployed", "")], [])
    assert tip == git(site.folder / "work", "rev-list", "--max-parents=0", "main").stdout.strip()
    assert re.search(r"remote: .* is live in staging: http://staging.localhost:8000/", site.said)


def test_failing_build_refuses_the_push(site):
    before = site.tip, site.live
    site.commit("B", "echo broken; false")
    code, said = site.push()
    assert code == 1
    assert re.search(r"remote: broken\s+remote: .*ended with exit code 1", said)
    assert (site.tip, site.live) == before


def test_newer_of_two_pushes_wins(site):
    marker = site.folder / "slow-1"
    git(site.folder, "clone", "--quiet", str(site.bare), "other")
    site.commit("C", SLOW.format(marker=marker))
    older = site.start_push()
    wait_for(marker)
    site.commit("D", work="other")
    code, said = site.push(work="other")
    assert code == 0, said
    assert "is cancelled, unless it deploys already: this commit is newer" in said
    assert older.wait(timeout=60) == 1
    assert "replaces this one" in older.stderr.read()
    older.stderr.close()
    assert [state for state, _ in site.builds[:2]] == ["deployed", "cancelled"]
    assert (site.live, site.left) == ("D", [])


def test_nothing_is_deployed_for_a_push_that_was_given_up(site):
    """Git on this side has died, so the branch will not move; the command prints nothing."""
    marker, before = site.folder / "slow-3", (site.tip, site.live)
    site.commit("G", SLOW.format(marker=marker))
    push = site.start_push()
    keeper, command = wait_for(marker)
    os.kill(parent_of(parent_of(keeper)), signal.SIGKILL)
    push.wait(timeout=60)
    push.stderr.close()
    wait_for_end(keeper, command)
    until = time.monotonic() + 60
    while site.builds[0][0] == "building":
        assert time.monotonic() < until, "the build did not end"
        time.sleep(0.05)
    assert "connection of the push was lost" in site.builds[0][1]
    assert (site.tip, site.live, site.left) == (*before, [])


def test_killed_builder_leaves_nothing(site):
    marker, before = site.folder / "slow-2", (site.tip, site.live)
    site.commit("E", SLOW.format(marker=marker))
    push = site.start_push()
    keeper, command = wait_for(marker)
    os.kill(parent_of(keeper), signal.SIGKILL)
    assert push.wait(timeout=60) == 1
    push.stderr.close()
    wait_for_end(keeper, command)
    assert (site.tip, site.live) == before
    assert len(site.left) == 1
    site.commit("F")
    code, said = site.push()
    assert code == 0, said
    assert [state for state, _ in site.builds[:2]] == ["deployed", "interrupted"]
    assert "its process was killed" in site.builds[1][1]
    assert (site.live, site.left) == ("F", [])
