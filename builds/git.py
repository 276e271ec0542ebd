"""What a build asks of git: commits, files, a checkout.

Commands get the repository by its path. The other variables of a hook (GIT_*) stay in force, so
that a pre-receive hook sees the objects it is asked about.
"""

import os
import re
import shutil
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

from deployments.errors import Refused
from deployments.releases.provenance import LONGEST

_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_NOTHING = re.compile(r"0{40}|0{64}")
_OWN = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX")


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit: its full hash, `Name <address>` of its author, the first line of its message."""

    sha: str
    author: str
    subject: str


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository on this machine, bare or with a work tree. See `open_repository`."""

    path: Path

    def commit(self, sha: str) -> Commit:
        """Look a commit up by its full hash. Raises Refused."""
        if not _COMMIT.fullmatch(sha):
            raise Refused(
                "commit-invalid",
                f"Expected a commit as 40 hexadecimal digits, found '{sha}'.",
                "Use the output of: git rev-parse HEAD",
            )
        done = self._run("show", "-s", "--format=%an <%ae>%n%s", f"{sha}^{{commit}}", "--")
        if done.returncode:
            raise Refused(
                "commit-unknown",
                f"{self.path} has no commit {sha}.",
                "Push it there first.",
            )
        author, _, subject = _text(done.stdout).partition("\n")
        return Commit(sha, printable(author, LONGEST), printable(subject, 300))

    def tip(self, branch: str) -> str:
        """Return the commit of a branch, or "" if there is no such branch."""
        done = self._run("rev-parse", "--verify", "--quiet", f"refs/heads/{branch}^{{commit}}")
        return _text(done.stdout).strip()

    def file(self, commit: str, name: str) -> bytes | None:
        """Return a file of a commit, or None if it has none of this name."""
        done = self._run("cat-file", "blob", f"{commit}:{name}")
        return None if done.returncode else done.stdout

    def check_out(self, commit: str, folder: Path) -> None:
        """Write all files of a commit into a folder, without `.git`. Raises Refused."""
        index = folder.parent / "index"
        for words in (["read-tree", commit], ["checkout-index", "--all", "--quiet"]):
            variables = {"GIT_INDEX_FILE": str(index), "GIT_WORK_TREE": str(folder)}
            done = self._run(*words, cwd=folder, **variables)
            if done.returncode:
                raise git_failed(words[0], done.stderr)

    def _run(
        self, *arguments: str, cwd: Path | None = None, **variables: str
    ) -> subprocess.CompletedProcess[bytes]:
        return run_git(f"--git-dir={self.path}", *arguments, cwd=cwd, seconds=None, **variables)


def open_repository(path: Path) -> Repository:
    """Find a repository: a bare one, or the folder that has `.git`. Raises Refused."""
    for folder in (Path(path), Path(path, ".git")):
        # Named as the repository, git does not ask whom the folder belongs to.
        if folder.is_dir() and not run_git(f"--git-dir={folder}", "rev-parse").returncode:
            return Repository(folder.resolve())
    raise Refused(
        "repository-unknown",
        f"{path} is not a git repository.",
        "Make one with: manage.py init --git PATH",
    )


def run_git(
    *arguments: str, cwd: Path | None = None, seconds: float | None = None, **variables: str
) -> subprocess.CompletedProcess[bytes]:
    """Run git and return what it said. Raises Refused if it is not installed.

    After `seconds` it is killed, with all that it started. Raises TimeoutExpired.
    """
    program = shutil.which("git")
    if program is None:
        raise Refused("git-missing", "The program git is not installed.", "Install it.")
    environment = {name: value for name, value in os.environ.items() if name not in _OWN}
    with subprocess.Popen(  # noqa: S603 - the program is git, and no argument is run
        [program, *arguments],
        cwd=cwd,
        env={**environment, "LC_ALL": "C", **variables},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=seconds is not None,
    ) as process:
        try:
            output, fault = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            raise
    return subprocess.CompletedProcess(process.args, process.returncode, output, fault)


def git_failed(what: str, stderr: bytes) -> Refused:
    """Return the error for a git command that should not have failed."""
    fault = " ".join(_text(stderr).split()) or "no message"
    return Refused(
        "git-failed", f"git {what} failed: {fault[:500].rstrip('.')}.", "Check the repository."
    )


def is_nothing(sha: str) -> bool:
    """Whether a hook's hash says that there is no commit: before the first, after a deletion."""
    return bool(_NOTHING.fullmatch(sha))


def printable(text: str, length: int) -> str:
    """Return a text of a commit as the history can keep it."""
    return "".join(one if one.isprintable() else " " for one in text).strip()[:length]


def _text(output: bytes) -> str:
    return output.decode(errors="replace")
