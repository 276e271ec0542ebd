"""Deploying: the one code path of push, promote, rollback and push_functions.

Order, and what a kill at each point leaves behind:
  check            nothing was changed
  lock             taken over by the next run, since its process is gone
  record           a deployment without outcome; the next run settles it
  function         the old release behind the new function, which serves both
  routing update   the switch: all keys of the environment in one update with If-Match
  read back, probe the new release; the next run settles the record
  error page       the new release; the next run copies it
  audit, outcome   the new release; the next run writes what is missing
A failure from the function to the probe is undone: the old routing documents, then the old
function. After the probe the switch stands, and a failure only leaves something to settle.
"""

from collections.abc import Callable
from dataclasses import dataclass

from django.db import DatabaseError

from deployments import error_page, functions, recording
from deployments.errors import ChangedMeanwhile, DeploymentError, PartlyChanged, Refused
from deployments.locking import deploy_lock
from deployments.models import Deployment, Outcome
from deployments.plans import Plan, Target, plan_deployment
from deployments.probing import wait_until_answered
from deployments.routes import read_route, write_route
from edge.errors import EdgeError
from edge.protocols import Backend

# What may go wrong underway; anything else is a defect, and the next run settles the record.
FAILURES = (DeploymentError, EdgeError, DatabaseError, KeyboardInterrupt)
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Done:
    """What a deployment came to. `deployment` is None when there was nothing to do."""

    plan: Plan
    deployment: Deployment | None
    invalidated: int = 0


def deploy(backend: Backend, target: Target, *, say: Say) -> Done:
    """Point an environment at a release.

    Raises Refused (nothing changed, or all restored), ChangedMeanwhile (lock held, or routing
    changed by somebody else), PartlyChanged (the hint names the command to run).
    """
    environment = target.environment
    say(f"Check {target.release}")
    plan_deployment(backend, target)
    with deploy_lock(environment=environment, actor=target.actor, reason=_lock_reason(target)):
        recording.settle_unfinished(backend, environment, say=say)
        plan = plan_deployment(backend, target)
        if plan.is_done:
            return Done(plan, None)
        _check_expected(plan)
        deployment = recording.record(target, previous=plan.live)
        try:
            _switch(backend, plan, say)
        except FAILURES as error:
            raise _undone(backend, plan, deployment, error, say) from error
        return Done(plan, deployment, _finish(backend, plan, deployment))


def _check_expected(plan: Plan) -> None:
    """Refuse when the target was chosen by what was live, and that has changed since."""
    expected = plan.target.chosen_from
    if expected is not None and expected.name != plan.live:
        raise ChangedMeanwhile(
            "live-changed",
            f"{plan.target.environment} served {expected} when this was decided, and serves "
            f"{plan.live or 'nothing'} now.",
            "Look with: manage.py status, then decide again.",
        )


def _switch(backend: Backend, plan: Plan, say: Say) -> None:
    target, environment = plan.target, plan.target.environment
    if plan.function_changes:
        say(f"Publish edge function {target.function}")
        functions.publish(backend, environment, target.function.source)
    say(f"Switch {environment} from {plan.live or 'nothing'} to {target.release}")
    write_route(backend.keyvalues, environment, seen=plan.route, wanted=plan.wanted)
    say(f"Probe {', '.join(target.release.pages)}")
    _check_switched(backend, plan)


def _finish(backend: Backend, plan: Plan, deployment: Deployment) -> int:
    """Bring the error page up to date and record the outcome. Raises PartlyChanged."""
    try:
        invalidated = error_page.refresh(backend, deployment)
        recording.finish(backend, deployment, Outcome.Result.SUCCEEDED)
    except FAILURES as error:
        raise PartlyChanged(
            "not-recorded",
            f"{deployment.environment} serves {deployment.release}, but what follows a switch did "
            f"not finish: {_told(error)}.",
            f"Run: {_next_command(plan, again=True)}",
        ) from error
    return invalidated


def _check_switched(backend: Backend, plan: Plan) -> None:
    """Read back and probe. Raises ChangedMeanwhile, Refused."""
    environment = plan.target.environment
    if read_route(backend.keyvalues, environment) != plan.wanted:
        raise ChangedMeanwhile(
            "route-changed", f"The routing documents of {environment} were overwritten meanwhile."
        )
    wrong = wait_until_answered(backend.viewer, environment, plan.target.release)
    if wrong:
        raise Refused("probe-failed", f"The edge does not serve it: {'; '.join(wrong.values())}.")


def _undone(
    backend: Backend,
    plan: Plan,
    deployment: Deployment,
    error: BaseException,
    say: Say,
) -> DeploymentError:
    """Put the old routing documents and function back; tell what to raise."""
    environment, release = plan.target.environment, plan.target.release
    say(f"Restore {environment}: {_told(error)}")
    try:
        _restore(backend, plan)
        recording.finish(backend, deployment, Outcome.Result.RESTORED, detail=_told(error))
    except FAILURES as second:
        return PartlyChanged(
            "not-restored",
            f"Deploying {release} to {environment} failed ({_told(error)}), and so did "
            f"restoring what was live ({_told(second)}).",
            f"Run: {_next_command(plan)}",
        )
    restored = f"{environment} serves {plan.live or 'nothing'} as before."
    if isinstance(error, ChangedMeanwhile):
        return ChangedMeanwhile(error.code, error.message, error.hint or "Run the command again.")
    if isinstance(error, Refused):
        return Refused(error.code, f"{error.message} {restored}", "See: manage.py status")
    return PartlyChanged(
        "switch-failed",
        f"Deploying {release} to {environment} failed: {_told(error)}. {restored}",
        f"Run: {_next_command(plan, again=True)}",
    )


def _restore(backend: Backend, plan: Plan) -> None:
    environment = plan.target.environment
    if plan.wanted != plan.route and read_route(backend.keyvalues, environment) == plan.wanted:
        write_route(backend.keyvalues, environment, seen=plan.wanted, wanted=plan.route)
    if plan.function and functions.live(backend, environment) != plan.function:
        functions.publish(backend, environment, plan.function.source)


def _next_command(plan: Plan, *, again: bool = False) -> str:
    """Name the command that brings the environment to what it should serve.

    A release that was never live there is not for `rollback`: `promote --release` takes any.
    """
    target = plan.target
    if again and target.kind == Deployment.Kind.FUNCTION:
        return f"manage.py push_functions --environment {target.environment} --yes"
    release = target.release.name if again or not plan.live else plan.live
    return f"manage.py promote --release {release} --to {target.environment} --yes"


def _told(error: BaseException) -> str:
    return str(error) or "interrupted"


def _lock_reason(target: Target) -> str:
    return f"{target.kind.label} of {target.release}" + (
        f": {target.reason}" if target.reason else ""
    )
