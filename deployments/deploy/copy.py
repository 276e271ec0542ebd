"""The `copy` strategy: files under fixed keys, for distributions that cannot run the function.

It cannot be atomic. Instead, a page is copied after everything it may refer to, and a file is
deleted only after the pages that refer to it have been replaced, invalidated and probed. A failure
undoes nothing: the environment then serves files of both releases, and the next run, forward or
back, copies what is missing.
"""

from deployments.context import DeployContext
from deployments.deploy import error_page
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
from deployments.wording import plural, reason_of
from edge.errors import EdgeError, ObjectMissing
from edge.protocols import Backend, ObjectStore

# Copies between two renewals of the lock: a few seconds of work, while the lease lasts minutes.
RENEWED_AFTER = 500
_FILES = {"changed": "changed files", "gone": "removed files"}


class CopyStrategy:
    """Deploys by copying what changed inside the object store."""

    def plan(self, backend: Backend, target: Target) -> CopyPlan:
        """Return what would change. Raises Refused."""
        return plan_copies(backend, target)

    def resumes(self, unfinished: list[Deployment], target: Target) -> Deployment | None:
        """Return the interrupted deployment that this run resumes.

        Under the same record, no invalidation is sent or paid for twice.
        """
        last = unfinished[-1] if unfinished else None
        if last and last.strategy == Strategy.COPY and last.release == target.release:
            return last
        return None

    def rehearse(self, context: DeployContext, plan: CopyPlan) -> None:
        """Do nothing: previews need the edge function."""

    def carry_out(self, context: DeployContext, plan: CopyPlan, deployment: Deployment) -> int:
        """Copy, read back, invalidate changed files, probe, delete, invalidate removed files."""
        environment, objects = plan.target.environment, context.backend.objects
        for name, artifacts in plan.changes.stages:
            context.say(f"Copy {plural(len(artifacts), name)}")
            _copy(context, plan.target, artifacts)
        _read_back(objects, plan.target, plan.changes.copies)
        _point(context.backend, environment)
        dropped = _drop(context, plan.stale, deployment, "changed")
        context.say(f"Probe {', '.join(probed_pages(environment, plan.target.release))}")
        checks = read_checks(objects, plan.target.release)
        probe = Probe(environment, plan.target.release, checks=checks)
        wrong = wait_until_answered(context.backend.viewer, probe)
        if wrong:
            raise EdgeError(
                f"The edge does not serve {plan.target.release}: {'; '.join(wrong.values())}."
            )
        if plan.changes.deletions:
            context.keep_lock()
            context.say(f"Delete {plural(len(plan.changes.deletions), 'file')}")
            objects.delete([environment.copy_prefix + path for path in plan.changes.deletions])
        return dropped + _drop(context, plan.gone, deployment, "gone")

    def failed(
        self, context: DeployContext, plan: CopyPlan, deployment: Deployment, error: BaseException
    ) -> DeploymentError:
        """Return the error to raise. The record stays open: the next run resumes or settles it."""
        if isinstance(error, ChangedMeanwhile):
            return error
        environment, release = plan.target.environment, plan.target.release
        back = f" To go back instead, promote {plan.live}." if plan.live else ""
        return PartlyChanged(
            "copy-unfinished",
            f"Copying {release} to {environment} did not finish: {reason_of(error)}. "
            f"Until it does, {environment} may serve files of {release} and older ones.{back}",
            f"Run: {next_command(plan, again=True)}",
        )

    def follow_up(self, context: DeployContext, deployment: Deployment) -> int:
        """Write the default error page if the release has none; return the invalidated paths."""
        return error_page.refresh(context, deployment)

    def partly_deployed(self, environment: Environment) -> list[Deployment]:
        """Return the deployments since the live one: their copies may have arrived in part."""
        return unfinished_copies(environment, environment.live)

    def took_effect(self, backend: Backend, deployment: Deployment) -> bool:
        """Return False: whether all caches dropped the changed files cannot be seen."""
        return False


def _copy(context: DeployContext, target: Target, artifacts: tuple[Artifact, ...]) -> None:
    """Copy one stage and wait until all of it has arrived."""

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
    """Check every copied key. Raises ObjectMissing."""
    right = copied_paths(objects, target, copies)
    wrong = [artifact.path for artifact in copies if artifact.path not in right]
    if wrong:
        damaged = plural(len(wrong), "damaged copy", "damaged copies")
        raise ObjectMissing(f"Found {damaged}, first: {wrong[0]}.")


def _drop(context: DeployContext, drops: CachePaths, deployment: Deployment, why: str) -> int:
    if not drops.paths:
        return 0
    context.keep_lock()
    context.say(f"Invalidate {_FILES[why]}: {cost_of(context.backend.pricing, drops.paths)}")
    step = f"deployment-{deployment.pk}-{why}"
    return invalidate(context, drops, step=step, actor=deployment.actor, deployment=deployment)


def _point(backend: Backend, environment: Environment) -> None:
    if backend.origins and not is_pointed(backend, environment):
        backend.origins.point(environment.hosts, environment.copy_prefix)
