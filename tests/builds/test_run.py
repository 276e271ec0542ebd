"""A pushed commit goes live, or nothing changes: builds of real repositories."""

import os
import re
import subprocess

import pytest

from builds.models import Build
from builds.run import KEPT, ask, run
from builds.turns import INTERRUPTED
from deployments.errors import ChangedMeanwhile, Refused
from deployments.locks.lease import is_running, this_process
from deployments.models import BranchPreview, Release
from tests.builds.origin import COPY, settings_with

State = Build.State


def test_commit_goes_live_on_staging(pusher, origin, staging, served):
    commit = origin.commit("A", toml=settings_with(COPY, rest="[site]\ntrailing_slash = 'keep'"))
    build = pusher.push(commit)
    assert "<title>A</title>" in served()
    release = staging.live.release
    assert (build.state, build.release, build.environment) == (State.DEPLOYED, release, "staging")
    assert (release.commit, release.branch) == (commit, "main")
    assert (release.author, release.message) == ("Dana Frost <dana@example.com>", "Page A")
    assert pusher.said[-1].endswith("http://staging.localhost:8000/")
    assert pusher.said == build.log.splitlines()
    assert pusher.left == []


def test_other_branch_gets_a_preview_until_it_is_deleted(pusher, origin, staging, served):
    pusher.push(origin.commit("A"))
    live = staging.live
    build = pusher.push(origin.commit("B", branch="new-prices"), branch="new-prices")
    assert "<title>B</title>" in served("new-prices.preview.localhost")
    assert (build.url, staging.live) == ("http://new-prices.preview.localhost:8000/", live)
    assert pusher.push("0" * 40, branch="new-prices") is None
    assert not BranchPreview.objects.exists()
    pusher.push("0" * 40, branch="new-prices")
    assert "has no preview" in pusher.said[-1]


def test_site_without_a_command(pusher, origin, served):
    toml = "[build]\noutput = 'site'\n"
    pusher.push(origin.commit(toml=toml, files={"site/index.html": "<title>Plain</title>"}))
    assert "Plain" in served()


def test_same_content_of_another_branch_of_qdn_toml(pusher, origin, staging):
    toml = settings_with(COPY, rest="[branches]\ntrunk = 'staging'\n")
    pusher.push(origin.commit(toml=toml, branch="trunk"), branch="trunk")
    assert staging.live.release.branch == "trunk"


# Refused


REFUSED = {
    "no file": ("", COPY, "build-unset"),
    "no table": ("[site]\nfallback = ''\n", COPY, "build-unset"),
    "unknown key": (settings_with(COPY, rest="memory = 1\n"), COPY, "site-file-invalid"),
    "failing": ("", "echo broken; exit 3", "build-failed"),
    "no folder": ("", "true", "output-missing"),
    "leads out": ("", "ln -s /etc out", "output-missing"),
    "no page": ("", "mkdir out", "source-empty"),
    "unknown environment": (
        settings_with(COPY, rest="[branches]\nmain = 'moon'\n"), COPY, "environment-unknown",
    ),
    "protected": (
        settings_with(COPY, rest="[branches]\nmain = 'production'\n"), COPY, "branch-protected",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_nothing_changes(pusher, origin, staging, case):
    toml, command, code = REFUSED[case]
    without = "# nothing\n" if case == "no file" else settings_with(command)
    with pytest.raises(Refused) as refused:
        pusher.push(origin.commit(toml=toml or without))
    assert refused.value.code == code
    build = pusher.last
    assert (build.state, build.detail) == (State.FAILED, str(refused.value))
    assert build.log.splitlines()[-1] == build.detail
    assert (staging.live, Release.objects.count(), pusher.left) == (None, 0, [])


def test_output_before_the_failure_is_in_the_log(pusher, origin):
    with pytest.raises(Refused, match="exit code 3"):
        pusher.push(origin.commit(command="echo out; echo err >&2; printf 'no end'; exit 3"))
    assert "out\nerr\nno end\n" in pusher.last.log
    assert "no end" in pusher.said


@pytest.mark.parametrize(
    ("commit", "code"), [("1" * 40, "commit-unknown"), ("main", "commit-invalid")]
)
def test_refuses_a_commit(pusher, commit, code):
    with pytest.raises(Refused) as refused:
        pusher.push(commit)
    assert refused.value.code == code
    assert not Build.objects.exists()


def test_refuses_a_branch_that_a_release_cannot_keep(pusher, origin):
    with pytest.raises(Refused) as refused:
        pusher.push(origin.commit(), branch="x" * 201)
    assert refused.value.code == "origin-invalid"


def test_refuses_a_folder_that_is_no_repository(tmp_path, db):
    with pytest.raises(Refused, match="not a git repository"):
        ask(repository=tmp_path, branch="main", commit="1" * 40, actor="olga")


@pytest.mark.parametrize("user", ["no-such-user", "root"])
def test_refuses_a_user_that_cannot_be(pusher, origin, settings, monkeypatch, user):
    settings.BUILD_USER = user
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(Refused) as refused:
        pusher.push(origin.commit())
    assert refused.value.code == "build-user"


# Limits


def pids(log):
    return [int(one) for one in re.findall(r"^pid (\d+)$", log, re.MULTILINE)]


def test_build_that_never_ends(pusher, origin):
    command = "sleep 600 & echo pid $!; echo pid $$; sleep 600"
    with pytest.raises(Refused) as refused:
        pusher.push(origin.commit(toml=settings_with(command, minutes=0.01)))
    assert refused.value.code == "build-too-long"
    found = pids(pusher.last.log)
    assert len(found) == 2
    assert not any(map(is_running, found))


def test_process_that_hides_is_killed_at_the_end(pusher, origin, served):
    hidden = "setsid sh -c 'echo pid $$; exec sleep 600' </dev/null 2>&1 & sleep 0.3"
    build = pusher.push(origin.commit(command=f"({hidden}) && {COPY}"))
    assert (build.state, len(pids(build.log))) == (State.DEPLOYED, 1)
    assert not is_running(pids(build.log)[0])


@pytest.mark.parametrize(
    "command",
    [
        "head -c 5000000 /dev/zero > large; sleep 600",
        "mkdir d; for i in $(seq 30); do head -c 100000 /dev/zero > d/$i; done; sleep 600",
        "mkdir locked; head -c 1048576 /dev/zero > locked/x; chmod 500 locked",
    ],
    ids=["one file", "many files", "write-protected"],
)
def test_build_that_writes_too_much(pusher, origin, settings, command):
    settings.BUILD_DISK_MB = 1
    with pytest.raises(Refused) as refused:
        pusher.push(origin.commit(command=command))
    assert refused.value.code == "build-too-large"
    assert pusher.left == []


def test_log_is_cut(pusher, origin, settings, served):
    settings.BUILD_LOG_BYTES = 3000
    build = pusher.push(origin.commit(command=f"seq 20000; {COPY}"))
    assert "The log is cut here" in build.log
    assert "19999" not in build.log
    assert len(build.log) < 5000
    assert "<title>A</title>" in served()


# Secrets


@pytest.fixture
def secrets(settings, monkeypatch):
    """Secrets of ours, one of which the build gets."""
    monkeypatch.setenv("CDN_API_KEY", "ours-and-not-for-builds")
    monkeypatch.setenv("SHOP_PLACE", "given-to-the-build")
    settings.BUILD_ENVIRONMENT = ["SHOP_PLACE", "NOT_SET"]
    settings.SECRET_KEY = "the-key-that-signs"
    return ["ours-and-not-for-builds", "given-to-the-build", "the-key-that-signs"]


def test_build_has_an_environment_of_its_own(pusher, origin, secrets):
    printed = pusher.push(origin.commit(command=f"env | cut -d= -f1 | sort; {COPY}")).log
    names = set(re.findall(r"^[A-Z_]+$", printed, re.MULTILINE))
    known = {"CI", "HOME", "LANG", "NO_COLOR", "OLDPWD", "PATH", "PWD", "SHLVL", "TERM", "TMPDIR"}
    assert names - known - {"_"} == {"SHOP_PLACE"}


def test_secrets_are_masked_in_the_log_and_for_the_pusher(pusher, origin, secrets):
    prints = [f"printf {one[:5]}; sleep 0.1; echo {one[5:]}" for one in secrets]
    build = pusher.push(origin.commit(command="; ".join([*prints, COPY])))
    for text in (build.log, "\n".join(pusher.said)):
        # The commands themselves are shown too, in two parts.
        assert not [one for one in secrets if one in text]
        assert text.count("***") >= 3


# One at a time, and the newest


def waiting(origin, commit, branch="main"):
    return ask(repository=origin.bare, branch=branch, commit=commit, actor="olga")


def test_older_commit_that_waits_is_skipped(pusher, origin, served):
    older = waiting(origin, origin.commit("A"))
    newer = waiting(origin, origin.commit("B"))
    run(newer)
    with pytest.raises(ChangedMeanwhile, match=f"build {newer.pk} replaces this one"):
        run(older)
    older.refresh_from_db()
    assert (older.state, older.started_at) == (State.SKIPPED, None)
    assert f"build {older.pk} of main ({older.commit[:10]}) is skipped" in newer.log
    assert "<title>B</title>" in served()


def test_build_runs_once(pusher, origin):
    build = pusher.push(origin.commit())
    with pytest.raises(Refused, match="has begun or ended"):
        run(build)


def test_killed_build_is_settled_by_the_next(pusher, origin, staging, tmp_path):
    dead = subprocess.Popen(["true"])
    dead.wait()
    folder = tmp_path / "builds/qdn-build-left"
    (folder / "checkout").mkdir(parents=True)
    killed = waiting(origin, origin.commit("A", branch="other"), branch="other")
    runner = {**this_process(), "pid": dead.pid, "started": 1}
    Build.objects.filter(pk=killed.pk).update(state=State.BUILDING, folder=folder, **runner)
    pusher.push(origin.commit("B"))
    killed.refresh_from_db()
    assert (killed.state, killed.detail) == (State.INTERRUPTED, INTERRUPTED)
    assert INTERRUPTED in killed.log
    assert pusher.left == []


def test_branch_that_moved_is_not_deployed(pusher, origin, staging):
    first = origin.commit("A")
    second = origin.commit("B")
    with pytest.raises(ChangedMeanwhile) as refused:
        pusher.push(second, before=first)
    assert refused.value.code == "branch-moved"
    assert staging.live is None


def test_pusher_who_has_gone_changes_nothing(pusher, origin, staging, monkeypatch):
    def broken(line):
        raise BrokenPipeError

    monkeypatch.setattr(pusher, "said", [])
    build = waiting(origin, origin.commit())
    with pytest.raises(ChangedMeanwhile) as refused:
        run(build, say=broken)
    assert refused.value.code == "pusher-gone"
    assert (pusher.last.state, staging.live) == (State.FAILED, None)


def test_last_builds_are_kept(pusher, origin):
    ended = {"repository": "r", "branch": "b", "commit": "1", "actor": "a", "state": State.FAILED}
    Build.objects.bulk_create(Build(**ended) for _ in range(KEPT + 5))
    first = Build.objects.earliest("pk").pk
    build = pusher.push(origin.commit())
    assert Build.objects.count() == KEPT
    assert Build.objects.earliest("pk").pk == first + 6
    assert Build.objects.latest("pk") == build
