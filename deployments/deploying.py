"""Deploying: the one code path of push, promote, rollback and push_functions.

Order, and what a kill at each point leaves behind:
  check            nothing was changed
  lock             taken over by the next run, since its process is gone
  rehearse         nothing was changed: the release was asked for through a signed preview
  record           a deployment without outcome; the next run settles it
  function         the old release behind the new function, which serves both
  routing update   the switch: all keys of the environment in one update with If-Match
  read back, probe the new release; the next run settles the record
  error page       the new release; the next run copies it
  audit, outcome   the new release; the next run writes what is missing
What stands between record and error page is the strategy's (deployments/strategies.py); shown is
`pointer`. After the probe the switch stands, and a failure only leaves something to settle.
"""

from collections.abc import Callable
from dataclasses import dataclass

from deployments import locking, recording
from deployments.errors import ChangedMeanwhile, PartlyChanged
from deployments.freezing import check_not_frozen
from deployments.locking import Patience, deploy_lock, renew
from deployments.models import Deployment, Outcome
from deployments.plans import Plan, Run, Target, check_whole, next_command, told
from deployments.recording import FAILURES
from deployments.settling import settle_unfinished
from deployments.strategies import strategy_of
from edge.protocols import Backend

Say = Callable[[str], None]
Check = Callable[[Plan], None]


@dataclass(frozen=True, slots=True)
class Done:
    """What a deployment came to. `deployment` is None when there was nothing to do."""

    plan: Plan
    deployment: Deployment | None
    invalidated: int = 0


def deploy(
    backend: Backend,
    target: Target,
    *,
    say: Say,
    patience: Patience = locking.NONE,
    check: Check | None = None,
) -> Done:
    """Make an environment serve a release, by its strategy.

    `check` is asked under the lock, before anything changes, and may refuse. Raises Refused
    (nothing changed, or all restored), ChangedMeanwhile (lock held, or routing changed by somebody
    else), PartlyChanged (the hint names the command to run).
    """
    environment = target.environment
    strategy = strategy_of(environment)
    say(f"Check {target.release}")
    environment.check_host()
    check_whole(backend.objects, target.release)
    reason = _lock_reason(target)
    with deploy_lock(
        environment=environment, actor=target.actor, reason=reason, patience=patience, say=say
    ) as lock:
        run = Run(backend, say, lambda: renew(lock))
        going_on = settle_unfinished(run, target)
        check_whole(backend.objects, target.release)
        plan = strategy.plan(backend, target)
        if plan.is_done:
            return Done(plan, None, _follow_up_again(run, target))
        _check_expected(plan)
        if check:
            check(plan)
        check_not_frozen(target)
        strategy.rehearse(run, plan)
        # Whoever took the lock over meanwhile decides; there is nothing to settle or undo yet.
        run.keep_lock()
        deployment = going_on or recording.record(target, previous=plan.live)
        try:
            invalidated = strategy.carry_out(run, plan, deployment)
        except FAILURES as error:
            raise strategy.failed(run, plan, deployment, error) from error
        return Done(plan, deployment, invalidated + _finish(run, plan, deployment))


def _follow_up_again(run: Run, target: Target) -> int:
    """Mend what follows a deployment, where it is served already. Raises EdgeError."""
    live = target.environment.live
    if live is None or live.release != target.release:
        return 0
    return strategy_of(target.environment).follow_up(run, live)


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


def _finish(run: Run, plan: Plan, deployment: Deployment) -> int:
    """Do what follows and record the outcome. Raises PartlyChanged."""
    try:
        strategy = strategy_of(deployment.environment)
        invalidated = strategy.follow_up(run, deployment)
        recording.finish(run.backend, deployment, Outcome.Result.SUCCEEDED)
    except FAILURES as error:
        raise PartlyChanged(
            "not-recorded",
            f"{deployment.environment} serves {deployment.release}, but what follows a switch did "
            f"not finish: {told(error)}.",
            f"Run: {next_command(plan, again=True)}",
        ) from error
    return invalidated


def _lock_reason(target: Target) -> str:
    return f"{target.kind.label} of {target}" + (f": {target.reason}" if target.reason else "")
