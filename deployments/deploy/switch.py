"""Switching on request: show what would change, confirm, deploy."""

from collections.abc import Callable
from dataclasses import replace

from deployments.context import Caller
from deployments.deploy.deploy import Deployed, deploy
from deployments.deploy.plan import Plan, Target
from deployments.deploy.strategies import plan_deployment
from deployments.errors import DeploymentError
from deployments.models import Release
from deployments.releases.diff import Diff, diff_releases
from edge.protocols import Backend


def switch(
    backend: Backend,
    target: Target,
    *,
    caller: Caller,
    prepare: Callable[[Target], None] | None = None,
    dry_run: bool = False,
) -> Deployed:
    """Deploy a target once the caller has seen the changes and agreed.

    `prepare` is called before the question, but not in a dry run. Raises as `deploy` does.
    """
    plan, environment = plan_deployment(backend, target), target.environment
    caller.say(f"{environment}: {plan.live or 'nothing'} -> {target}")
    for line in plan.lines():
        caller.say(line)
    confirm = caller.confirm if environment.protected else None
    asks = confirm is not None and not plan.is_done
    # This reads two manifests, which grow with the release, so only when the result is shown.
    changes = _changes(backend, plan, caller) if asks or dry_run else None
    if dry_run:
        return Deployed(plan, changes=changes)
    caller.reached(f"{environment} is unchanged.")
    if prepare:
        prepare(target)
    if confirm:
        if not plan.is_done:
            confirm(f"Point {environment} at {target}?")
        # What was shown is what is deployed, however long the answer took.
        target = replace(target, chosen_from=target.chosen_from or _named(plan.live))
    deployed = deploy(backend, target, say=caller.say, patience=caller.patience)
    return replace(deployed, changes=changes)


def _changes(backend: Backend, plan: Plan, caller: Caller) -> Diff | None:
    try:
        diff = diff_releases(backend.objects, _named(plan.live), plan.target.release)
    except DeploymentError as error:
        caller.say(f"The changes cannot be shown: {error.message}")
        return None
    for line in diff.lines():
        caller.say(line)
    return diff


def _named(release: str) -> Release | None:
    return Release.objects.filter(name=release).first()
