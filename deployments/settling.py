"""Settling: every interrupted deployment gets the outcome it had, or is gone on with."""

from deployments import recording
from deployments.models import Deployment, Outcome
from deployments.plans import Run, Target
from deployments.strategies import strategy_of

Result = Outcome.Result


def settle_unfinished(run: Run, target: Target) -> Deployment | None:
    """Give every interrupted deployment the outcome it had, by what the environment serves.

    Gives the one that deploying the target goes on with, which is left open. Called with the lock
    held, so nobody is at work on them.
    """
    environment = target.environment
    unfinished = list(environment.deployments.unfinished().select_related("release", "function"))
    going_on = strategy_of(environment).going_on(unfinished, target)
    for deployment in unfinished:
        if deployment == going_on:
            run.say(f"Go on with interrupted deployment {deployment.pk}")
        else:
            _settle(run, deployment, is_last=deployment == unfinished[-1])
    return going_on


def _settle(run: Run, deployment: Deployment, *, is_last: bool) -> None:
    strategy = strategy_of(deployment)
    took_place = is_last and strategy.is_in_force(run.backend, deployment)
    result = Result.SUCCEEDED if took_place else Result.ABANDONED
    run.say(f"Settle interrupted deployment {deployment.pk}: {result.label.lower()}")
    if took_place:
        strategy.follow_up(run, deployment)
    detail = "Interrupted; settled by a later run."
    recording.finish(run.backend, deployment, result, detail=detail)
