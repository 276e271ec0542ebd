"""Provisioning: an environment's stack or adopted distributions, its strategy, and what is next.

The steps for a stack, and what a kill at each point leaves behind:
  plan       nothing
  propose    a change set that no one executes; for a new stack also an empty stack, which the next
             run uses
  execute    CloudFormation continues by itself; the next run says so (exit code 3), or when it is
             done finds nothing to change and continues with:
  record     one transaction
CloudFormation itself refuses a second operation on a stack, so no deploy lock is held. A deployment
and a stack share only the function, and after its first run the stack leaves that alone
(edge/provisioning/template.py says how).
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from django.conf import settings

from deployments.models import Environment
from deployments.stacks.adopt import adopt, plan_adoption
from deployments.stacks.change_set import execute, propose, record
from deployments.stacks.next_steps import next_steps, strategy_steps
from deployments.stacks.plan import StackPlan, Wanted, plan_stack
from deployments.stacks.strategy import change_strategy, check_strategy
from edge.provisioning.stacks import Change, ChangeSet, Say, StackHost

Changes = tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class Request:
    """What to provision: a stack, unless distributions are adopted or only the strategy changes."""

    environment: Environment
    wanted: Wanted
    adopt: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    reason: str = ""
    dry_run: bool = False

    @property
    def is_for_strategy(self) -> bool:
        return bool(self.wanted.strategy) and not (self.adopt or self.wanted.parameters())

    @property
    def is_for_stack(self) -> bool:
        return not (self.adopt or self.is_for_strategy)


@dataclass(frozen=True, slots=True)
class Operator:
    """Who provisions, and how to reach them. `confirm` asks a question and raises Refused."""

    name: str
    say: Say
    show: Callable[[Changes], None]
    confirm: Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Provisioned:
    """What was done (the reference of `provision` lists the words), and what is left to do."""

    environment: Environment
    did: str
    changes: Changes
    strategy_before: str
    strategy: str
    next_steps: list[str]

    def as_json(self) -> dict[str, Any]:
        """Return it for --json."""
        environment = self.environment
        rows = environment.distributions.all()
        return {
            "environment": environment.name,
            "did": self.did,
            "strategy": self.strategy,
            "strategy_before": self.strategy_before,
            "stack": environment.stack.get("name"),
            "changes": [asdict(one) for one in self.changes],
            "outputs": environment.stack.get("outputs", {}),
            "distributions": [
                {"id": row.remote_id, "domain": row.domain, "paths": row.paths} for row in rows
            ],
            "hosts": environment.hosts,
            "next": self.next_steps,
        }


def provision(
    request: Request, operator: Operator, get_stacks: Callable[[], StackHost]
) -> Provisioned:
    """Provision an environment. AWS is asked only if that is needed.

    Raises Refused (nothing was changed, or all was rolled back), ChangedMeanwhile, PartlyChanged,
    EdgeError.
    """
    environment, wanted = request.environment, request.wanted
    hosts = {*environment.hosts, *environment.stack.get("aliases", [])}
    before = environment.strategy
    strategy = wanted.strategy or before
    check_strategy(environment, strategy, makes_stack=request.is_for_stack)
    if wanted.strategy:
        change = f"{before} -> {strategy}" if strategy != before else f"{strategy}, as before"
        operator.say(f"{environment}: strategy {change}")
    changes: Changes = ()
    if request.is_for_strategy:
        did = _change_strategy(request, operator)
    elif request.adopt:
        did = _adopt(get_stacks(), request, operator)
    else:
        did, changes = _bring_up_to_date(get_stacks(), request, operator)
    steps = (
        strategy_steps(environment) if request.is_for_strategy else next_steps(environment, hosts)
    )
    left = list(steps) if did != "planned" else []
    return Provisioned(environment, did, changes, before, strategy, left)


def _change_strategy(request: Request, operator: Operator) -> str:
    environment, strategy = request.environment, request.wanted.strategy
    if environment.strategy == strategy:
        return "unchanged"
    if request.dry_run:
        return "planned"
    operator.confirm(f"Deploy to {environment} by {strategy} from now on?")
    change_strategy(environment, strategy, actor=operator.name)
    return "changed"


def _adopt(stacks: StackHost, request: Request, operator: Operator) -> str:
    environment, bucket = request.environment, settings.EDGE_BUCKET
    adoptions = plan_adoption(
        stacks, environment, request.adopt, paths=request.paths, bucket=bucket
    )
    for one in adoptions:
        hosts = ", ".join((one.found.domain, *one.found.aliases))
        operator.say(f"{one.found.id}: {hosts}: {' '.join(one.paths)}")
    if request.dry_run:
        return "planned"
    operator.confirm(f"Adopt for {environment}?")
    change_strategy(environment, request.wanted.strategy, actor=operator.name)
    adopt(environment, adoptions)
    return "adopted"


def _bring_up_to_date(
    stacks: StackHost, request: Request, operator: Operator
) -> tuple[str, Changes]:
    environment, wanted = request.environment, request.wanted
    bucket, store = settings.EDGE_BUCKET, settings.EDGE_KEY_VALUE_STORE
    plan = plan_stack(stacks, environment, wanted, bucket=bucket, store=store)
    operator.say(f"{environment}: stack {plan.stack}, {plan.status}")
    if request.dry_run and plan.is_new:
        operator.show(plan.first_changes())
        return "planned", plan.first_changes()
    by = f"{operator.name}: {request.reason or 'manage.py provision'}"
    change_set = propose(stacks, plan, description=by)
    state = plan.state
    if _agree(stacks, plan, change_set, request, operator):
        operator.say(f"{'Create' if plan.is_new else 'Update'} {plan.stack}: this takes minutes")
        state = execute(stacks, plan, change_set, say=operator.say)
    elif change_set.changes:
        return "planned", change_set.changes
    if state and not request.dry_run:
        # Even if nothing changed: an earlier run may have been interrupted.
        record(environment, state)
        change_strategy(environment, wanted.strategy, actor=operator.name)
    did = "created" if plan.is_new else "updated"
    return did if change_set.changes else "unchanged", change_set.changes


def _agree(
    stacks: StackHost, plan: StackPlan, change_set: ChangeSet, request: Request, operator: Operator
) -> bool:
    """Show a change set and ask whether to execute it. Otherwise it is withdrawn."""
    agreed = False
    try:
        if change_set.changes:
            operator.show(change_set.changes)
            if not request.dry_run:
                operator.confirm(f"Change the stack {plan.stack}?")
                agreed = True
    finally:
        if not agreed:
            stacks.withdraw(change_set)
    return agreed
