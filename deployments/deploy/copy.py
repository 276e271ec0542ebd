"""The `copy` strategy: files under fixed keys, for a distribution that cannot run the function.

It cannot be atomic. What it keeps to instead: a page is copied after all it may refer to, and a
file goes away after the pages that refer to it were replaced, dropped from the caches and seen new.
Nothing is undone when it fails: the environment serves files of both releases then, and the next
run, forward or back, copies what is missing.
"""

from deployments.context import DeployContext
from deployments.deploy.copy_plan import (
    CopyPlan,
    copied_paths,
    is_pointed,
    plan_copies,
    unfinished_copies,
)
from deployments.deploy.plan import Target, next_command
from deployments.deploy.probe import Probe, probed_pages, wait_until_answered
from deployments.errors import ChangedMeanwhile, DeploymentError, PartlyChanged
from deployments.invalidation.send import CachePaths, cost_of, invalidate
from deployments.models import Deployment, Environment, Strategy
from deployments.releases.manifest import Artifact
from deployments.releases.smoke_checks import read_checks
from deployments.releases.store import concurrently
from deployments.releases.upload import object_metadata
from deployments.wording import reason_of
from edge.errors import EdgeError, ObjectMissing
from edge.protocols import Backend, ObjectStore

# Copies between two renewals of the lock: some seconds of work, where its lease has minutes.
RENEWED_AFTER = 500
_WHY = {"changed": "changed", "gone": "is gone"}


class CopyStrategy:
    """Deploys by copying what changed inside the object store."""

    def plan(self, backend: Backend, target: Target) -> CopyPlan:
        """Compare manifests and describe what would change. Raises Refused."""
        return plan_copies(backend, target)

    def resumes(self, unfinished: list[Deployment], target: Target) -> Deployment | None:
        """Choose the interrupted deployment that this run goes on with.

        Under the same record the same invalidations are not made, nor paid for, twice.
        """
        last = unfinished[-1] if unfinished else None
        goes_on = (
            last is not None and last.strategy == Strategy.COPY and last.release == target.release
        )
        return last if goes_on else None

    def rehearse(self, context: DeployContext, plan: CopyPlan) -> None:
        """Do nothing: without the function there is no preview to ask for it through."""

    def carry_out(self, context: DeployContext, plan: CopyPlan, deployment: Deployment) -> int:
        """Copy, read back, drop what changed, probe, delete, drop what is gone."""
        environment, objects = plan.target.environment, context.backend.objects
        for name, artifacts in plan.changes.stages:
            context.say(f"Copy {len(artifacts)} {name}")
            _copy(context, plan.target, artifacts)
        _read_back(objects, plan.target, plan.changes.copies)
        _point(context.backend, environment)
        dropped = _drop(context, plan.stale, deployment, "changed")
        context.say(f"Probe {', '.join(probed_pages(environment, plan.target.release))}")
        checks = read_checks(objects, plan.target.release)
        probe = Probe(environment, plan.target.release, checks=checks)
        wrong = wait_until_answered(context.backend.viewer, probe)
        if wrong:
            raise EdgeError(f"The edge does not serve it: {'; '.join(wrong.values())}.")
        if plan.changes.deletions:
            context.keep_lock()
            context.say(f"Delete {len(plan.changes.deletions)} files")
            objects.delete([environment.copy_prefix + path for path in plan.changes.deletions])
        return dropped + _drop(context, plan.gone, deployment, "gone")

    def failed(
        self, context: DeployContext, plan: CopyPlan, deployment: Deployment, error: BaseException
    ) -> DeploymentError:
        """Tell how to go on; the record stays open, and the next run takes it up or settles it."""
        if isinstance(error, ChangedMeanwhile):
            return error
        environment, release = plan.target.environment, plan.target.release
        back = f" To go back, name {plan.live} instead." if plan.live else ""
        return PartlyChanged(
            "copy-unfinished",
            f"Copying {release} to {environment} did not finish: {reason_of(error)}. "
            f"Until it does, {environment} may serve files of {release} "
            f"and of what was live before.{back}",
            f"Run: {next_command(plan, again=True)}",
        )

    def follow_up(self, context: DeployContext, deployment: Deployment) -> int:
        """Do nothing: the error page is one of the files."""
        return 0

    def partly_deployed(self, environment: Environment) -> list[Deployment]:
        """Return the deployments after the live one: their copies may have arrived in part."""
        return unfinished_copies(environment, environment.live)

    def took_effect(self, backend: Backend, deployment: Deployment) -> bool:
        """Give False: whether all caches dropped what changed cannot be seen."""
        return False


def _copy(context: DeployContext, target: Target, artifacts: tuple[Artifact, ...]) -> None:
    """Copy one stage; all of it is there when this ends."""

    def copy(artifact: Artifact) -> None:
        context.backend.objects.copy(
            artifact.key(target.release.name),
            target.environment.copy_prefix + artifact.path,
            metadata=object_metadata(target.release, artifact),
        )

    for start in range(0, len(artifacts), RENEWED_AFTER):
        context.keep_lock()
        concurrently(copy, artifacts[start : start + RENEWED_AFTER])


def _read_back(objects: ObjectStore, target: Target, copies: list[Artifact]) -> None:
    """Look at every copied key. Raises ObjectMissing."""
    right = copied_paths(objects, target, copies)
    wrong = [artifact.path for artifact in copies if artifact.path not in right]
    if wrong:
        raise ObjectMissing(f"{len(wrong)} copies are not what was copied, first {wrong[0]}.")


def _drop(context: DeployContext, drops: CachePaths, deployment: Deployment, why: str) -> int:
    if not drops.paths:
        return 0
    context.keep_lock()
    context.say(f"Invalidate what {_WHY[why]}: {cost_of(context.backend.pricing, drops.paths)}")
    step = f"deployment-{deployment.pk}-{why}"
    return invalidate(context, drops, step=step, actor=deployment.actor, deployment=deployment)


def _point(backend: Backend, environment: Environment) -> None:
    if backend.origins and not is_pointed(backend, environment):
        backend.origins.point(environment.hosts, environment.copy_prefix)
