"""Operations: what was confirmed in the admin, carried out by a task that records every step.

A row is written, then a task is enqueued with its id. The task that changes `waiting` to `running`
does the work, so a task delivered twice does it once. deployments/deploy/deploy.py says what a
killed task leaves behind; the next run settles it.
"""

from functools import partial
from typing import Any

from django.conf import settings
from django.db import DatabaseError, transaction
from django.db.models import Q
from django.utils import timezone
from django_q.tasks import async_task
from redis.exceptions import RedisError

from deployments.context import Caller
from deployments.deploy.deploy import Deployed, deploy
from deployments.deploy.strategies import plan_deployment
from deployments.errors import DeploymentError
from deployments.locks.deploy_lock import Patience
from deployments.models import Deployment, Environment, Operation
from deployments.operations import progress
from deployments.operations.proposals import Proposal, check_as_confirmed, confirmed_target
from deployments.push import push
from deployments.routing import functions
from deployments.wording import reason_of
from edge.backends import get_backend
from edge.errors import EdgeError

State = Operation.State
Kind = Deployment.Kind
TASK = "deployments.tasks.run_operation"
# Another operator's switch takes seconds; the task must not spend its time on waiting.
PATIENCE = Patience(wait_seconds=20)
LONGEST_LINE = 1000
REPEAT = "Look at the environment's page; repeating the action settles what was begun."


def ask(*, environment: Environment, proposal: Proposal, actor: str, reason: str) -> Operation:
    """Record what was confirmed and enqueue its task. Must be called outside a transaction.

    A second click, the same request by the same person before it is done, is the same operation.
    """
    target = proposal.plan.target
    functions.keep(target.function)
    return _ask(environment, target.kind, proposal.options, actor, reason)


def ask_to_push(*, environment: Environment, actor: str, reason: str) -> Operation:
    """Record a confirmed push of the surfaces and enqueue its task, as `ask` does."""
    return _ask(environment, Kind.PUSH, {}, actor, reason)


def _ask(
    environment: Environment, kind: Kind, options: dict[str, Any], actor: str, reason: str
) -> Operation:
    settle_interrupted(environment)
    with transaction.atomic():
        # Of two clicks that arrive together, the later one waits here, then finds the other.
        Environment.objects.select_for_update().get(pk=environment.pk)
        asked = _asked_already(environment, kind, options, actor)
        operation = asked or Operation.objects.create(
            environment=environment, kind=kind.value, options=options, actor=actor, reason=reason
        )
    if not asked:
        _enqueue(operation)
    return operation


def _asked_already(
    environment: Environment, kind: Kind, options: dict[str, Any], actor: str
) -> Operation | None:
    """Return the operation that a second click repeats: one that waits or has just begun."""
    now = timezone.now()
    is_fresh = Q(state=State.WAITING, asked_at__gt=now - progress.GOOD_FOR)
    has_just_begun = Q(state=State.RUNNING, asked_at__gt=now - progress.SOON)
    found = environment.operations.filter(is_fresh | has_just_begun, actor=actor, kind=kind.value)
    return next((one for one in found if one.options == options), None)


def _enqueue(operation: Operation) -> None:
    """Enqueue the task; if the queue refuses it, end the operation and say so."""
    # A failed task is not run again: the row says so, and people decide.
    limits = {"timeout": settings.OPERATION_SECONDS, "ack_failure": True}
    try:
        async_task(TASK, operation.pk, q_options={"group": "deployments", **limits})
    except (RedisError, DatabaseError) as error:
        _fail(
            operation,
            f"The task queue did not take this: {reason_of(error)}. Nothing was changed. "
            "Check the queue (REDIS_URL, or else the database), then try again.",
        )


def run(operation_id: int) -> None:
    """Carry out a waiting operation and record how it ended, even if it fails."""
    operation = Operation.objects.select_related("environment").get(pk=operation_id)
    if not _claim(operation):
        _settle(operation)
        return
    try:
        done = _carry_out(operation)
    except (DeploymentError, EdgeError) as error:
        _fail(operation, str(error))
    except BaseException as error:
        # A defect, or the cluster's time limit: shown to the operator, and logged by raising it.
        _fail(operation, f"The task ended early: {error or type(error).__name__}. {REPEAT}")
        raise
    else:
        _end(operation, State.DONE, done.deployment)


def settle_interrupted(environment: Environment) -> None:
    """End operations whose task has died or never ran."""
    for operation in environment.operations.filter(state__in=[State.WAITING, State.RUNNING]):
        _settle(operation)


def _claim(operation: Operation) -> bool:
    """Take a waiting operation that is not too old; only one of two tasks gets it."""
    oldest = timezone.now() - progress.GOOD_FOR
    waiting = Operation.objects.filter(pk=operation.pk, state=State.WAITING, asked_at__gt=oldest)
    return bool(waiting.update(state=State.RUNNING))


def _settle(operation: Operation) -> None:
    """End an operation that no task will finish."""
    now = progress.of(operation)
    if not now.is_given_up:
        return
    with transaction.atomic():
        if _end(operation, State.FAILED, _begun_by(operation)):
            _say(operation, now.note, is_fault=True)


def _carry_out(operation: Operation) -> Deployed:
    """Do what was confirmed. Raises DeploymentError, EdgeError."""
    if operation.kind == Kind.PUSH:
        return _push(operation)
    backend, target = get_backend(), confirmed_target(operation)
    plan = plan_deployment(backend, target)
    _say(operation, f"{target.environment}: {plan.live or 'nothing'} -> {target}")
    for line in plan.lines():
        _say(operation, line)
    done = deploy(
        backend,
        target,
        say=lambda line: _say(operation, line),
        patience=PATIENCE,
        check=partial(check_as_confirmed, operation),
    )
    _say(operation, _summary(done))
    return done


def _push(operation: Operation) -> Deployed:
    """Build the surfaces and deploy them. Raises DeploymentError, EdgeError."""
    caller = Caller(
        actor=operation.actor, say=lambda line: _say(operation, line), patience=PATIENCE
    )
    message, environment = operation.reason, operation.environment
    pushed = push(get_backend(), environment, caller=caller, message=message)
    assert pushed.deployed is not None  # noqa: S101 - it was asked for
    if pushed.deployed.deployment:  # otherwise the push has said so
        _say(operation, _summary(pushed.deployed))
    return pushed.deployed


def _summary(done: Deployed) -> str:
    target = done.plan.target
    if done.deployment is None:
        return f"Nothing to do: {target.environment} already serves {target}"
    return f"{target.environment} serves {target}: deployment {done.deployment.pk}"


def _fail(operation: Operation, fault: str) -> None:
    # The message of a server may have several lines.
    _say(operation, " ".join(fault.split()), is_fault=True)
    _end(operation, State.FAILED, _begun_by(operation))


def _begun_by(operation: Operation) -> Deployment | None:
    """Return the deployment that an operation recorded before it failed, if it came so far."""
    begun = operation.environment.deployments.filter(
        actor=operation.actor, kind=operation.kind, at__gte=operation.asked_at
    )
    if operation.options:  # a push chooses its release itself
        release, percent = operation.options["release"], operation.options["percent"]
        begun = begun.filter(release__name=release, percent=percent)
    found: Deployment | None = begun.first()
    return found


def _end(operation: Operation, state: State, deployment: Deployment | None) -> bool:
    """Close an operation, once."""
    still_open = Operation.objects.filter(pk=operation.pk, ended_at=None)
    return bool(still_open.update(state=state, deployment=deployment, ended_at=timezone.now()))


def _say(operation: Operation, line: str, *, is_fault: bool = False) -> None:
    operation.steps.create(line=line[:LONGEST_LINE], is_fault=is_fault)
