"""Provisioning: an environment's CloudFormation stack, planned, proposed, carried out, recorded.

Steps, and what a kill at each point leaves behind:
  plan       reads only
  propose    a change set that nobody executes; for a new stack also an empty stack, which the next
             run uses
  carry out  CloudFormation goes on by itself; the next run says so (exit code 3) or, when it is
             done, finds nothing to change and goes on to:
  record     one transaction
CloudFormation itself refuses a second operation on a stack, so no deploy lock is held: a deployment
and a stack have nothing in common but the function, and the stack leaves that alone after its first
run (edge/provisioning/template.py says how).
"""

from collections.abc import Callable

from django.db import transaction

from deployments.errors import PartlyChanged, Refused
from deployments.locks.deploy_lock import deploy_lock
from deployments.models import Distribution, Environment, Strategy
from deployments.stacks.plan import StackPlan, again, repair
from edge.errors import BackendUnavailable, EdgeError
from edge.provisioning.stacks import Change, ChangeSet, Say, StackHost, StackState
from edge.provisioning.template import storage_patterns

SHOWN_REASONS = 3


def provision(
    stacks: StackHost,
    plan: StackPlan,
    *,
    agree: Callable[[tuple[Change, ...]], bool],
    actor: str,
    reason: str,
    say: Say,
) -> StackState | None:
    """Bring a stack to its plan; give what it is then, or None when `agree` said no.

    `agree` is asked with the changes, if there are any, before one is made.
    Raises Refused (nothing changed, or all was put back), StaleEtag, PartlyChanged.
    """
    change_set = _propose(stacks, plan, actor=actor, reason=reason)
    try:
        agreed = agree(change_set.changes) if change_set.changes else False
    except BaseException:
        stacks.withdraw(change_set)
        raise
    if agreed:
        return _carry_out(stacks, plan, change_set, say=say)
    stacks.withdraw(change_set)
    return None if change_set.changes else plan.state


def _propose(stacks: StackHost, plan: StackPlan, *, actor: str, reason: str) -> ChangeSet:
    """Make the change set of a plan. Raises Refused when CloudFormation cannot use it."""
    if plan.state is not None and plan.state.status == "ROLLBACK_COMPLETE":
        # What a creation that failed leaves; it is empty, and in the way.
        stacks.clear(plan.state.id)
    change_set = stacks.propose(
        plan.stack,
        plan.template,
        plan.parameters,
        create=plan.is_new,
        description=f"{actor}: {reason or 'manage.py provision'}",
        tags={"project": "quickdumpnow", "environment": plan.environment.name},
    )
    if change_set.failure:
        stacks.withdraw(change_set)
        raise Refused(
            "change-set-failed",
            f"CloudFormation cannot make a change set: {change_set.failure}",
            "Nothing was changed.",
        )
    return change_set


def _carry_out(
    stacks: StackHost, plan: StackPlan, change_set: ChangeSet, *, say: Say
) -> StackState:
    """Execute a change set and wait for the end.

    Raises StaleEtag, Refused (failed, and all was put back), PartlyChanged.
    """
    before = stacks.event_ids(change_set.stack_id)
    try:
        stacks.execute(change_set)
        state = stacks.wait(change_set.stack_id, since=before, say=say)
    except (BackendUnavailable, KeyboardInterrupt) as error:
        raise PartlyChanged(
            "stack-unwatched",
            f"CloudFormation may be at work on {plan.stack}, and nobody watches it: "
            f"{error or 'interrupted'}",
            f"Run: {again(plan.environment, plan.wanted)}",
        ) from error
    if not state.succeeded:
        raise _failed(stacks, plan, state, before)
    return state


def _failed(
    stacks: StackHost, plan: StackPlan, state: StackState, before: frozenset[str]
) -> Refused | PartlyChanged:
    try:
        causes = stacks.failures(state.id, since=before)[:SHOWN_REASONS]
        if state.is_restored:
            stacks.clear(state.id)
    except EdgeError as error:
        causes = [str(error)]
    reason = "; ".join(causes) or state.reason
    if state.is_restored:
        return Refused(
            "stack-failed",
            f"CloudFormation could not carry this out, and put everything back: {reason}.",
            "Mend that, then run the command again.",
        )
    return PartlyChanged(
        "stack-broken",
        f"The stack {plan.stack} is {state.status}: {reason}.",
        repair(state, then=again(plan.environment, plan.wanted)),
    )


@transaction.atomic
def record(environment: Environment, state: StackState) -> Distribution:
    """Write down what the stack made: its outputs, the hosts, the distribution."""
    outputs, before = dict(state.outputs), environment.stack
    aliases = [host for host in state.parameters.get("Aliases", "").split(",") if host]
    former = {*before.get("aliases", []), before.get("outputs", {}).get("DistributionDomain")}
    # The distribution's own name comes first: it is probed, and needs no DNS of ours.
    hosts = [outputs["DistributionDomain"], *aliases]
    environment.hosts = hosts + [
        host for host in environment.hosts if host not in {*hosts, *former}
    ]
    environment.stack = {
        "name": state.name,
        "id": state.id,
        "aliases": aliases,
        "outputs": outputs,
    }
    environment.save(update_fields=["hosts", "stack"])
    former_id = before.get("outputs", {}).get("DistributionId")
    environment.distributions.filter(remote_id=former_id).exclude(
        remote_id=outputs["DistributionId"]
    ).delete()
    distribution, _ = Distribution.objects.update_or_create(
        remote_id=outputs["DistributionId"],
        defaults={
            "environment": environment,
            "domain": outputs["DistributionDomain"],
            "paths": storage_patterns(),
        },
    )
    return distribution


def check_strategy(environment: Environment, strategy: str, *, makes_stack: bool) -> None:
    """Refuse `copy` where a stack's distribution serves the environment, or is to be made.

    It runs the edge function, which leads to releases: what is copied it would never find.
    """
    if strategy != Strategy.COPY or not (makes_stack or _has_stack(environment)):
        return
    raise Refused(
        "stack-runs-function",
        f"The distribution of a stack runs the edge function, so {environment} cannot be deployed "
        f"to by copy through it.",
        "For a distribution that cannot run it, use --adopt ID with --strategy copy in an "
        "environment without a stack. For the stack: "
        f"manage.py provision --environment {environment} --strategy pointer",
    )


def change_strategy(environment: Environment, strategy: str | None, *, actor: str) -> None:
    """Give an environment a strategy; None leaves it the one it has.

    No deployment is at work meanwhile. Raises ChangedMeanwhile (`lock-held`).
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
