"""Changing an environment's strategy."""

from deployments.errors import Refused
from deployments.locks.deploy_lock import deploy_lock
from deployments.models import Environment, Strategy


def check_strategy(environment: Environment, strategy: str, *, makes_stack: bool) -> None:
    """Refuse `copy` if a stack's distribution serves the environment, or is to be made.

    Such a distribution runs the edge function, which leads to releases and never to copies.
    """
    if strategy != Strategy.COPY or not (makes_stack or _has_stack(environment)):
        return
    raise Refused(
        "stack-runs-function",
        f"The distribution of a stack runs the edge function, so {environment} cannot be deployed "
        "to by copy through it.",
        "For a distribution that cannot run it, use --adopt ID with --strategy copy in an "
        "environment without a stack. For the stack: "
        f"manage.py provision --environment {environment} --strategy pointer",
    )


def change_strategy(environment: Environment, strategy: str | None, *, actor: str) -> None:
    """Change an environment's strategy while no deployment runs; None keeps it.

    Raises ChangedMeanwhile (`lock-held`).
    """
    if strategy in {None, environment.strategy}:
        return
    reason = f"Change of the strategy to {strategy}"
    with deploy_lock(environment=environment, actor=actor, reason=reason):
        environment.strategy = strategy
        environment.save(update_fields=["strategy"])


def _has_stack(environment: Environment) -> bool:
    made = environment.stack.get("outputs", {}).get("DistributionId")
    return environment.distributions.filter(remote_id=made).exists()
