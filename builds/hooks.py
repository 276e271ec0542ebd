"""A bare repository whose pushes are built: made by `init --git`.

The hook is `update`, which git runs for each pushed branch right before it moves the branch: if it
fails, that branch stays where it was, and the push fails. A post-receive hook would be too late,
and a pre-receive hook would refuse all branches for the fault of one.
"""

import shlex
from pathlib import Path

from builds.git import git_failed, run_git
from deployments.errors import Refused

HOOK = "hooks/update"


def hook_script(python: Path, manage: Path) -> str:
    """Return the hook that builds with this installation."""
    program = shlex.join([str(python), str(manage)])
    return f"""\
#!/bin/sh
# Made by `manage.py init --git`. Git runs it before it moves a branch (githooks(5)): the commit is
# built and deployed. If that fails, the branch stays where it was.
case "$1" in
  refs/heads/*) ;;
  *) exit 0 ;;
esac
repository=$(pwd)
branch=${{1#refs/heads/}}
exec {program} build --repository="$repository" --branch="$branch" --before="$2" --commit="$3" \\
  </dev/null
"""


def check_place(path: Path, script: str) -> bool:
    """Whether a repository has to be made at a path. Raises Refused if it cannot have the hook."""
    if not path.exists() or (path.is_dir() and not any(path.iterdir())):
        return True
    if run_git(f"--git-dir={path}", "rev-parse", "--is-bare-repository").stdout.strip() != b"true":
        raise Refused(
            "place-taken",
            f"{path} exists and is not a bare git repository.",
            "Choose a path that does not exist yet.",
        )
    hook = path / HOOK
    if hook.exists() and hook.read_text(errors="replace") != script:
        raise Refused(
            "hook-exists",
            f"{hook} exists and is not what init writes.",
            "Remove it, or call manage.py build from it: docs/reference/commands.md#build",
        )
    return False


def make_repository(path: Path, *, branch: str, script: str) -> None:
    """Make a bare repository with the hook, or give an existing one the hook. Raises Refused."""
    if check_place(path, script):
        done = run_git("init", "--quiet", "--bare", f"--initial-branch={branch}", str(path))
        if done.returncode:
            raise git_failed("init", done.stderr)
    hook = path / HOOK
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(script)
    hook.chmod(0o755)
