"""Deploying: the one code path of push, promote, rollback and push_functions.

The steps in order, and what a kill at each of them leaves behind:
  lock             a lock without a process, which the next run takes over
  check            the same
  rehearse         no change: the release was requested through a signed preview
  hooks before     no change: they were asked
  record           a deployment without an outcome; the next run settles it
  rules            the same, with the environment's headers on local edges
  function         the old release behind the new function, which serves both
  routing update   the switch: all keys of the environment in one update with If-Match
  read back, probe the new release; the next run settles the record
  error page       the new release; the next run copies the page
  audit, outcome   the new release; the next run writes what is missing
  hooks after      the new release; the task cluster calls them (deployments/hooks/deliver.py)
The steps between record and error page are the strategy's (deployments/deploy/strategies.py); these
are those of `pointer`. After the probe the switch is final, and a failure only leaves work to the
next run.
"""

from collections.abc import Callable
from dataclasses import dataclass

from deployments.context import DeployContext
from deployments.deploy.freezes import check_not_frozen
from deployments.deploy.plan import Plan, Target, next_command
from deployments.deploy.record import FAILURES, finish, record
from deployments.deploy.strategies import strategy_of
from deployments.deploy.targets import with_able_function
from deployments.errors import ChangedMeanwhile, PartlyChanged
from deployments.hooks.before import check_before
from deployments.locks.deploy_lock import NO_PATIENCE, Patience, deploy_lock, renew
from deployments.models import Deployment, Outcome
from deployments.releases.claims import check_claims
from deployments.releases.diff import Diff
from deployments.releases.store import check_whole
from deployments.routing.rules import write_rules
from deployments.wording import reason_of
from edge.protocols import Backend

Say = Callable[[str], None]
Check = Callable[[Plan], None]
Result = Outcome.Result


@dataclass(frozen=True, slots=True)
class Deployed:
    """The result of a deployment; `deployment` is None if there was nothing to do.

    `invalidated` counts paths. `changes` are the files that differ, if they were looked up.
    """

    plan: Plan
    deployment: Deployment | None = None
    invalidated: int = 0
    changes: Diff | None = None


def deploy(
    backend: Backend,
    target: Target,
    *,
    say: Say,
    patience: Patience = NO_PATIENCE,
    check: Check | None = None,
) -> Deployed:
    """Make an environment serve a release, by its strategy.

    `check` is called under the lock, before anything changes, and may refuse. Raises Refused
    (nothing changed, or all restored), ChangedMeanwhile (the lock is held, or another process
    changed the routing), PartlyChanged (the hint is the command to run).
    """
    environment = target.environment
    strategy = strategy_of(environment)
    say(f"Check {target.release}")
    environment.check_host()
    reason = _lock_reason(target)
    with deploy_lock(
        environment=environment, actor=target.actor, reason=reason, patience=patience, say=say
    ) as lock:
        context = DeployContext(backend, say, lambda: renew(lock))
        environment.check_present()
        target = with_able_function(target)
        check_whole(backend.objects, target.release)
        check_claims(environment, target.release.claims)
        resumed = settle_unfinished(context, target)
        plan = strategy.plan(backend, target)
        if plan.is_done:
            return Deployed(plan, invalidated=_follow_up_again(context, target))
        _check_expected(plan)
        if check:
            check(plan)
        check_not_frozen(target)
        strategy.rehearse(context, plan)
        if resumed is None:  # otherwise they have agreed, and files of both releases are served
            check_before(context, target, previous=plan.live)
        # A run that has taken the lock over decides; there is nothing to settle or undo yet.
        context.keep_lock()
        deployment = resumed or record(target, replaces=plan.live)
        try:
            write_rules(backend, environment)
            invalidated = strategy.carry_out(context, plan, deployment)
        except FAILURES as error:
            raise strategy.failed(context, plan, deployment, error) from error
        return Deployed(plan, deployment, invalidated + _finish(context, plan, deployment))


def _follow_up_again(context: DeployContext, target: Target) -> int:
    """Repeat what follows a deployment whose release is already live. Raises EdgeError."""
    live = target.environment.live
    if live is None or live.release != target.release:
        return 0
    return strategy_of(target.environment).follow_up(context, live)


def _check_expected(plan: Plan) -> None:
    """Refuse if the live release has changed since the target was chosen from it."""
    expected = plan.target.chosen_from
    if expected is not None and expected.name != plan.live:
        raise ChangedMeanwhile(
            "live-changed",
            f"{plan.target.environment} served {expected} when this was decided and now "
            f"serves {plan.live or 'nothing'}.",
            "Check the state with: manage.py status. Then decide again.",
        )


def _finish(context: DeployContext, plan: Plan, deployment: Deployment) -> int:
    """Do what follows the switch and record the outcome. Raises PartlyChanged, ChangedMeanwhile."""
    try:
        context.keep_lock()
        strategy = strategy_of(deployment.environment)
        invalidated = strategy.follow_up(context, deployment)
        finish(context.backend, deployment, Outcome.Result.SUCCEEDED)
    except ChangedMeanwhile:
        raise  # the run that took the lock over decides what is served, and settles the record
    except FAILURES as error:
        raise PartlyChanged(
            "not-recorded",
            f"{deployment.environment} serves {deployment.release}, but the work after the "
            f"switch did not finish: {reason_of(error)}.",
            f"Run: {next_command(plan, again=True)}",
        ) from error
    return invalidated


def _lock_reason(target: Target) -> str:
    return f"{target.kind.label} of {target}" + (f": {target.reason}" if target.reason else "")


def settle_unfinished(context: DeployContext, target: Target) -> Deployment | None:
    """Record the outcome of each interrupted deployment, judging by what is served.

    Returns the one that deploying the target resumes, which stays open. The caller holds the lock,
    so no other process is working on them.
    """
    environment = target.environment
    unfinished = list(environment.deployments.unfinished().select_related("release", "function"))
    resumed = strategy_of(environment).resumes(unfinished, target)
    for deployment in unfinished:
        if deployment == resumed:
            context.say(f"Resume interrupted deployment {deployment.pk}")
        else:
            _settle(context, deployment, is_last=deployment == unfinished[-1])
    return resumed


def _settle(context: DeployContext, deployment: Deployment, *, is_last: bool) -> None:
    strategy = strategy_of(deployment)
    took_place = is_last and strategy.took_effect(context.backend, deployment)
    result = Result.SUCCEEDED if took_place else Result.ABANDONED
    context.say(f"Settle interrupted deployment {deployment.pk}: {result.label.lower()}")
    if took_place:
        strategy.follow_up(context, deployment)
    detail = "Interrupted; settled by a later run."
    finish(context.backend, deployment, result, detail=detail)
