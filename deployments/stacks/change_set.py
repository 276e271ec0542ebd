"""The change set of a stack's plan: proposed, executed and watched; its result is recorded."""

from django.db import transaction

from deployments.errors import PartlyChanged, Refused
from deployments.models import Distribution, Environment
from deployments.routing.preview_hosts import without_wildcards
from deployments.stacks.plan import StackPlan, repair
from edge.errors import BackendUnavailable, EdgeError
from edge.provisioning.stacks import ChangeSet, Say, StackHost, StackState
from edge.provisioning.template import storage_patterns

SHOWN_REASONS = 3


def propose(stacks: StackHost, plan: StackPlan, *, description: str) -> ChangeSet:
    """Make the change set of a plan. Raises Refused if CloudFormation cannot."""
    if plan.state is not None and plan.state.status == "ROLLBACK_COMPLETE":
        # A failed creation left it; it is empty, and in the way.
        stacks.clear(plan.state.id)
    change_set = stacks.propose(
        plan.stack,
        plan.template,
        plan.parameters,
        create=plan.is_new,
        description=description,
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


def execute(stacks: StackHost, plan: StackPlan, change_set: ChangeSet, *, say: Say) -> StackState:
    """Execute a change set and wait for the end.

    Raises StaleEtag, Refused (failed and rolled back), PartlyChanged.
    """
    before = stacks.event_ids(change_set.stack_id)
    try:
        stacks.execute(change_set)
        state = stacks.wait(change_set.stack_id, since=before, say=say)
    except (BackendUnavailable, KeyboardInterrupt) as error:
        raise PartlyChanged(
            "stack-unwatched",
            f"CloudFormation may still be changing {plan.stack}, unwatched: "
            f"{error or 'interrupted'}",
            "The same command continues.",
        ) from error
    if not state.succeeded:
        raise _failed(stacks, plan, state, before)
    return state


@transaction.atomic
def record(environment: Environment, state: StackState) -> None:
    """Record what a stack made: its outputs, its hosts, its distribution."""
    outputs, before = dict(state.outputs), environment.stack
    aliases = [host for host in state.parameters.get("Aliases", "").split(",") if host]
    former = before.get("outputs", {})
    # The function answers nothing at the distribution's own name once there is another.
    hosts = without_wildcards(aliases) or [outputs["DistributionDomain"]]
    gone = {
        *hosts,
        outputs["DistributionDomain"],
        *before.get("aliases", []),
        former.get("DistributionDomain"),
    }
    environment.hosts = hosts + [host for host in environment.hosts if host not in gone]
    environment.stack = {
        "name": state.name,
        "id": state.id,
        "aliases": aliases,
        "outputs": outputs,
    }
    environment.save(update_fields=["hosts", "stack"])
    id_ = outputs["DistributionId"]
    replaced = environment.distributions.filter(remote_id=former.get("DistributionId"))
    replaced.exclude(remote_id=id_).delete()
    fields = {"domain": outputs["DistributionDomain"], "paths": storage_patterns()}
    Distribution.objects.update_or_create(
        remote_id=id_, defaults={"environment": environment, **fields}
    )


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
            f"CloudFormation could not make the changes and rolled all of them back: {reason}.",
            "Fix the cause, then run the command again.",
        )
    return PartlyChanged(
        "stack-broken", f"The stack {plan.stack} is {state.status}: {reason}.", repair(state)
    )
