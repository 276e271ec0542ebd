"""Where a commit goes: the environment of its branch, or the branch's preview."""

from dataclasses import dataclass
from pathlib import Path

from builds.models import Build
from deployments.context import Caller
from deployments.errors import Refused
from deployments.locks.deploy_lock import Patience
from deployments.models import BranchPreview, Environment, Release
from deployments.previews.push import push_preview
from deployments.previews.remove import remove_preview
from deployments.push import push
from deployments.releases.provenance import Provenance
from deployments.routing.previews import site_of
from deployments.sources.build_tables import BranchSettings
from edge.backends import get_backend

PATIENCE = Patience(wait_seconds=60)


@dataclass(frozen=True, slots=True)
class Target:
    """Where a branch goes: to an environment, or to a preview in it."""

    environment: Environment
    is_preview: bool

    def __str__(self) -> str:
        return f"a preview in {self.environment}" if self.is_preview else str(self.environment)


def target_of(branch: str, branches: BranchSettings) -> Target:
    """Return where a branch goes. Raises Refused."""
    name = branches.environments.get(branch)
    environment = Environment.objects.named(name or branches.first)
    if name and environment.protected:
        raise Refused(
            "branch-protected",
            f"{branch} goes to {environment}, which is protected: its changes need a confirmation, "
            "and a push cannot give one.",
            "Name an unprotected environment in [branches] of qdn.toml, then promote from it: "
            f"manage.py promote --from staging --to {environment}",
        )
    return Target(environment, is_preview=not name)


def deliver(build: Build, target: Target, output: Path, caller: Caller) -> tuple[Release, str]:
    """Push a folder to its target; return the release and the address that shows it.

    Raises as `push` does.
    """
    backend, environment = get_backend(), target.environment
    provenance = Provenance(build.commit, build.branch, build.author)
    if target.is_preview:
        shown = push_preview(
            backend,
            environment,
            branch=build.branch,
            caller=caller,
            source=output,
            message=build.message,
            provenance=provenance,
        )
        release, url = shown.release, shown.url
    else:
        pushed = push(
            backend,
            environment,
            caller=caller,
            source=output,
            message=build.message,
            provenance=provenance,
        )
        release, url = pushed.release, site_of(backend, environment)
    assert release is not None  # noqa: S101 - it was not a dry run
    return release, url


def forget_branch(branch: str, caller: Caller) -> bool:
    """Remove the preview of a deleted branch; return whether it had one. Raises as it does."""
    if not BranchPreview.objects.filter(branch=branch).exists():
        caller.say(f"{branch} has no preview; environments keep what they serve")
        return False
    remove_preview(get_backend(), branch, caller)
    return True
