"""Settling: every interrupted deployment gets the outcome it had."""

from typing import Any

from deployments import recording
from deployments.models import Environment, Outcome
from deployments.plans import Run
from deployments.strategies import Strategy

Result = Outcome.Result


def settle_unfinished(run: Run, strategy: Strategy[Any], environment: Environment) -> None:
    """Give every interrupted deployment the outcome it had, by what the environment serves.

    Called with the lock held, so nobody is at work on them.
    """
    unfinished = list(environment.deployments.unfinished().select_related("release", "function"))
    for deployment in unfinished:
        took_place = deployment == unfinished[-1] and strategy.is_in_force(run.backend, deployment)
        result = Result.SUCCEEDED if took_place else Result.ABANDONED
        run.say(f"Settle interrupted deployment {deployment.pk}: {result.label.lower()}")
        if took_place:
            strategy.follow_up(run.backend, deployment)
        detail = "Interrupted; settled by a later run."
        recording.finish(run.backend, deployment, result, detail=detail)
