"""Bare copies of the repositories in BUILD_REPOSITORIES, which builds are made from."""

import fcntl
import logging
import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings

from builds.git import Repository, git_failed, open_repository, run_git
from builds.secrets import Mask, known_secrets
from deployments.errors import Refused

ALL_BRANCHES = "+refs/heads/*:refs/heads/*"
# With `.git` behind it, such a name leads to a folder of its own.
_NAME = re.compile(r"[A-Za-z0-9_-]{1,100}/[A-Za-z0-9._-]{1,100}")
log = logging.getLogger(__name__)


def fetch(name: str) -> Repository:
    """Bring the mirror of a repository up to date and return it. Raises Refused.

    The URL comes from the setting, never from a request. Git asks for no password.
    """
    url = settings.BUILD_REPOSITORIES.get(name, "")
    if not (url and _NAME.fullmatch(name)):
        raise Refused(
            "repository-not-set",
            "This repository is not one of BUILD_REPOSITORIES.",
            "Add it there: owner/name=URL",
        )
    path = settings.BUILD_MIRRORS_DIR / f"{name}.git"
    with _locked(path):
        if not (path / "HEAD").exists():
            done = run_git("init", "--quiet", "--bare", str(path))
            if done.returncode:
                raise git_failed("init", done.stderr)
        _fetch(path, name, url)
    return open_repository(path)


def _fetch(path: Path, name: str, url: str) -> None:
    words = ("fetch", "--quiet", "--prune", "--no-tags", "--force", "--", url, ALL_BRANCHES)
    limit = settings.BUILD_FETCH_SECONDS
    try:
        done = run_git(f"--git-dir={path}", *words, seconds=limit, GIT_TERMINAL_PROMPT="0")
    except subprocess.TimeoutExpired as error:
        raise _failed(name, f"git did not end within {limit} seconds") from error
    if done.returncode:
        mask = Mask(known_secrets())  # git repeats the URL
        fault = " ".join(done.stderr.decode(errors="replace").split())
        raise _failed(name, mask.feed(fault) + mask.finish())


def _failed(name: str, why: str) -> Refused:
    """Log why a repository was not fetched. The answer leaves that out: it is for operators."""
    log.error("Cannot fetch %s: %s", name, why[:500])
    return Refused(
        "fetch-failed",
        f"{name} could not be fetched. The server's log says why.",
        "Fix it, then send the delivery again.",
    )


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Keep other fetches of a mirror waiting while the block runs."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(f"{path}.lock", os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
