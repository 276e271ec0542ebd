"""What a repository's hook asks for when a branch was pushed or deleted."""

from pathlib import Path

from builds.delivery import forget_branch
from builds.git import is_nothing
from builds.log import Say
from builds.models import Build
from builds.run import ask, run
from deployments.context import Caller


def receive(
    *, repository: Path, branch: str, commit: str, before: str, actor: str, say: Say
) -> Build | None:
    """Build a commit that is about to become the tip of its branch.

    Zeros as commit mean that the branch is about to be deleted: its preview is removed, and nothing
    is built. Raises Refused, ChangedMeanwhile, PartlyChanged, EdgeError; git must not move the
    branch then.
    """
    if is_nothing(commit):
        forget_branch(branch, Caller(actor=actor, say=say))
        return None
    build = ask(repository=repository, branch=branch, commit=commit, before=before, actor=actor)
    return run(build, say=say)
