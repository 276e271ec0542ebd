"""Push: plan a release, confirm, upload it, deploy it. The one sequence behind every caller.

docs/explanation/how-a-push-runs.md names each step with its module.
"""

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from deployments.context import Caller
from deployments.deploy.deploy import Deployed, deploy
from deployments.deploy.freezes import check_open
from deployments.deploy.plan import Target
from deployments.deploy.targets import (
    canary_target,
    check_continues,
    promote_target,
    push_target,
)
from deployments.live_history import live_of
from deployments.models import Environment, Release
from deployments.releases.build import build_surfaces
from deployments.releases.claims import check_claims
from deployments.releases.compose import plan_composed
from deployments.releases.diff import Diff, compare_manifests
from deployments.releases.manifest import SourceFile
from deployments.releases.mixing import mixing_lines
from deployments.releases.provenance import UNKNOWN, Provenance
from deployments.releases.site import site_lines
from deployments.releases.store import read_manifest
from deployments.releases.upload import make_release
from deployments.releases.upload_plan import ReleasePlan, plan_release
from deployments.routing.functions import check_first_function
from deployments.routing.sites import write_site
from deployments.sources.source import opened_source
from deployments.wording import plural
from edge.protocols import Backend, NewObject

OnStored = Callable[[NewObject], None]
Progress = Callable[[ReleasePlan], AbstractContextManager[OnStored]]


@dataclass(frozen=True, slots=True)
class Pushed:
    """The result of a push.

    `release` is None in a dry run that would make a new one, `deployed` if nothing was deployed.
    `changes` are the files that differ from the live release, if they were looked up.
    """

    plan: ReleasePlan
    release: Release | None
    deployed: Deployed | None = None
    changes: Diff | None = None


def no_progress(plan: ReleasePlan) -> AbstractContextManager[OnStored]:
    """Show no progress."""
    return nullcontext(lambda new: None)


def push(
    backend: Backend,
    environment: Environment,
    *,
    caller: Caller,
    source: Path | None = None,
    message: str = "",
    provenance: Provenance = UNKNOWN,
    deploys: bool = True,
    repair: bool = False,
    dry_run: bool = False,
    progress: Progress = no_progress,
) -> Pushed:
    """Make a release of a folder or ZIP, or of the surfaces, and deploy it.

    Without `deploys` it is only uploaded. With `repair` every stored file is checked, and damaged
    ones are uploaded again. Raises Refused (nothing changed), ChangedMeanwhile, PartlyChanged.
    """
    caller.say(f"Read {source}" if source else "Build the surfaces")
    with _files(source) as files:
        plan = plan_release(
            objects=backend.objects, files=files, environment=environment, repair=repair
        )
        check_claims(environment, plan.claims)
        for line in [*site_lines(plan.site), *mixing_lines(files)]:
            caller.say(line)
        run = _Push(backend, plan, environment, caller, message, progress, provenance)
        if not deploys:
            return Pushed(plan, plan.known if dry_run else run.upload())
        check_continues(environment, plan.known)
        if dry_run:
            return Pushed(plan, plan.known)
        check_open(environment)
        caller.ask(environment, f"Deploy {plural(len(plan.manifest), 'file')} to {environment}?")
        check_first_function(environment, actor=caller.actor)
        release = run.upload()
        return run.deploy(
            push_target(
                environment=environment, release=release, actor=caller.actor, reason=message
            )
        )


def promote_surfaces(
    backend: Backend,
    *,
    surfaces: Iterable[str],
    source: Environment,
    to: Environment,
    caller: Caller,
    percent: int | None = None,
    reason: str = "",
    dry_run: bool = False,
) -> Pushed:
    """Deploy `surfaces` as they are live in `source`, and the others as they are live in `to`.

    This makes a new release. With `percent` it is a canary. Raises as `push` does.
    """
    check_open(to)
    surfaces = list(surfaces)
    plan = plan_composed(backend.objects, surfaces=surfaces, source=source, to=to)
    base = live_of(to).release
    check_continues(to, plan.known)
    chosen = ", ".join(surfaces)
    caller.say(f"Compose a release: {chosen} from {source}, the rest from {to}")
    changes = compare_manifests(read_manifest(backend.objects, base), plan.manifest)
    for line in changes.lines():
        caller.say(line)
    if dry_run:
        return Pushed(plan, plan.known, changes=changes)
    run = _Push(backend, plan, to, caller, reason or f"{chosen} from {source}")
    caller.ask(to, f"Create this release and deploy it to {to}?")
    asked: dict[str, Any] = {
        "source": source,
        "to": to,
        "release": run.upload(),
        "actor": caller.actor,
        "reason": reason,
    }
    target = promote_target(**asked) if percent is None else canary_target(**asked, percent=percent)
    return replace(run.deploy(replace(target, chosen_from=base)), changes=changes)


def _files(source: Path | None) -> AbstractContextManager[list[SourceFile]]:
    return opened_source(source) if source else nullcontext(build_surfaces())


@dataclass(frozen=True, slots=True)
class _Push:
    """The steps that every push shares."""

    backend: Backend
    plan: ReleasePlan
    environment: Environment
    caller: Caller
    message: str
    progress: Progress = no_progress
    provenance: Provenance = UNKNOWN

    def upload(self) -> Release:
        """Carry the plan out. Raises PartlyChanged, ChangedMeanwhile."""
        with self.progress(self.plan) as on_stored:
            release = make_release(
                objects=self.backend.objects,
                plan=self.plan,
                message=self.message,
                actor=self.caller.actor,
                say=self.caller.say,
                provenance=self.provenance,
                on_stored=on_stored,
            )
        self.caller.reached(f"Release {release} is uploaded; {self.environment} is unchanged.")
        write_site(self.backend, release)
        return release

    def deploy(self, target: Target) -> Pushed:
        """Deploy the release. Raises as `deployments.deploy.deploy` does."""
        caller = self.caller
        deployed = deploy(self.backend, target, say=caller.say, patience=caller.patience)
        if deployed.deployment is None:
            caller.say(f"{self.environment} already serves {target}")
        return Pushed(self.plan, target.release, deployed)
