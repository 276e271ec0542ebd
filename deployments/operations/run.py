"""Operations: what the admin or the API asked for, carried out by a task that records every step.

A row is written, then a task is enqueued with its id. The task that claims the row does the work
(deployments/operations/alive.py), so a task delivered twice does it once. The row, not the queue,
says what is to be done: `resume` enqueues tasks for rows that have none. What a killed task leaves
behind (deployments/deploy/deploy.py) is settled by the next.
"""

import logging
from contextlib import nullcontext
from dataclasses import asdict
from functools import partial
from typing import Any

from django.conf import settings
from django.db import DatabaseError, transaction
from django.db.models import Q
from django.db.models.functions import Now
from django_q.tasks import async_task
from redis.exceptions import RedisError

from deployments.context import Caller
from deployments.deploy.deploy import Deployed, deploy
from deployments.deploy.strategies import plan_deployment
from deployments.errors import DeploymentError
from deployments.locks.deploy_lock import Patience
from deployments.models import Deployment, Environment, Operation
from deployments.models.environments import DeploymentQuerySet
from deployments.operations import alive, progress, uploads
from deployments.operations.proposals import Proposal, check_as_confirmed, confirmed_target
from deployments.push import push
from deployments.releases.provenance import UNKNOWN, Provenance
from deployments.routing import functions
from deployments.wording import reason_of
from edge.backends import get_backend
from edge.database_clock import database_now
from edge.errors import EdgeError

log = logging.getLogger(__name__)
State = Operation.State
Kind = Deployment.Kind
OPEN = (State.WAITING, State.RUNNING)
TASK = "deployments.tasks.run_operation"
QUEUE = "deployments"
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


def ask_to_push(
    *,
    environment: Environment,
    actor: str,
    reason: str,
    upload: str = "",
    provenance: Provenance = UNKNOWN,
) -> Operation:
    """Record a confirmed push of the surfaces, or of an upload, and enqueue its task.

    As `ask` does. The upload belongs to the operation from now on.
    """
    options = {"upload": upload, **asdict(provenance)} if upload else {}
    return _ask(environment, Kind.PUSH, options, actor, reason)


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
    """Return the operation that a second click repeats: one that will begin or has just begun."""
    has_just_begun = Q(state=State.RUNNING, asked_at__gt=Now() - progress.SOON)
    rows = environment.operations.filter(has_just_begun | alive.beginnable())
    found = rows.filter(actor=actor, kind=kind.value)
    return next((one for one in found if one.options == options), None)


def _enqueue(operation: Operation) -> None:
    """Enqueue the task; if the queue refuses it, end the operation and say so."""
    try:
        _send(operation)
    except (RedisError, DatabaseError) as error:
        _fail(
            operation,
            f"The task queue did not take this: {reason_of(error)}. Nothing was changed. "
            "Check the queue (REDIS_URL, or else the database), then try again.",
        )


def _send(operation: Operation) -> None:
    # A failed task is not run again: the row says so, and people decide.
    limits = {"timeout": settings.OPERATION_SECONDS, "ack_failure": True}
    async_task(TASK, operation.pk, q_options={"cluster": QUEUE, "group": "deployments", **limits})


def resume() -> None:
    """Enqueue a task for each operation that has none; end those that will not be begun again.

    Call it in a task of the same queue: what was enqueued earlier and still waits has been lost.
    """
    for operation in Operation.objects.filter(state__in=OPEN).order_by("pk"):
        _settle(operation)
        is_new = database_now() - operation.asked_at < progress.SOON
        if alive.may_begin(operation) and not is_new:
            _send(operation)


def run(operation_id: int) -> None:
    """Carry out an operation and record how it ended, even if it fails."""
    operation = Operation.objects.select_related("environment").get(pk=operation_id)
    if not alive.claim(operation):
        _settle(operation)
        return
    try:
        with alive.kept_alive(operation):
            deployment = _carry_out(operation)
    except (DeploymentError, EdgeError) as error:
        _fail(operation, str(error))
    except BaseException as error:
        # A defect, or the cluster's time limit: shown to the operator, and logged by raising it.
        _fail(operation, f"The task ended early: {error or type(error).__name__}. {REPEAT}")
        raise
    else:
        if _end(operation, State.DONE, deployment):
            _remove_upload(operation)


def settle_interrupted(environment: Environment) -> None:
    """End operations that will not be begun again."""
    for operation in environment.operations.filter(state__in=OPEN):
        _settle(operation)


def _settle(operation: Operation) -> None:
    """End an operation that no task will finish."""
    now = progress.of(operation)
    if not now.is_given_up:
        return
    with transaction.atomic():
        if is_ended := _end(operation, State.FAILED, _begun_by(operation)):
            _say(operation, now.note, is_fault=True)
    if is_ended:
        _remove_upload(operation)


def _carry_out(operation: Operation) -> Deployment | None:
    """Do what was confirmed; return the deployment. Raises DeploymentError, EdgeError."""
    if operation.attempts > 1:
        attempt = f"{operation.attempts} of {alive.MAX_ATTEMPTS}"
        _say(operation, f"Its task was killed: begin again, attempt {attempt}")
        made = _begun_by(operation)
        if made and made in _begun(operation).succeeded():
            return made  # killed at the very end
    done = _push(operation) if operation.kind == Kind.PUSH else _deploy(operation)
    if done.deployment or operation.kind != Kind.PUSH:  # otherwise the push has said so
        _say(operation, _summary(done))
    return done.deployment or _begun_by(operation)


def _deploy(operation: Operation) -> Deployed:
    backend, target = get_backend(), confirmed_target(operation)
    plan = plan_deployment(backend, target)
    _say(operation, f"{target.environment}: {plan.live or 'nothing'} -> {target}")
    for line in plan.lines():
        _say(operation, line)
    return deploy(
        backend,
        target,
        say=lambda line: _say(operation, line),
        patience=PATIENCE,
        check=partial(check_as_confirmed, operation),
    )


def _push(operation: Operation) -> Deployed:
    """Build the surfaces, or take those that were uploaded, and deploy them."""
    backend, environment = get_backend(), operation.environment
    caller = Caller(
        actor=operation.actor, say=lambda line: _say(operation, line), patience=PATIENCE
    )
    made_of = dict(operation.options)
    upload = made_of.pop("upload", "")
    with uploads.opened(backend.objects, upload) if upload else nullcontext() as source:
        pushed = push(
            backend,
            environment,
            caller=caller,
            source=source,
            message=operation.reason,
            provenance=Provenance(**made_of),
        )
    assert pushed.deployed is not None  # noqa: S101 - it was asked for
    return pushed.deployed


def _summary(done: Deployed) -> str:
    target = done.plan.target
    if done.deployment is None:
        return f"Nothing to do: {target.environment} already serves {target}"
    return f"{target.environment} serves {target}: deployment {done.deployment.pk}"


def _fail(operation: Operation, fault: str) -> None:
    # The message of a server may have several lines.
    _say(operation, " ".join(fault.split()), is_fault=True)
    if _end(operation, State.FAILED, _begun_by(operation)):
        _remove_upload(operation)


def _begun_by(operation: Operation) -> Deployment | None:
    """Return the deployment that an operation recorded, if it came so far: the one that counts."""
    begun = _begun(operation)
    found: Deployment | None = begun.succeeded().first() or begun.first()
    return found


def _begun(operation: Operation) -> DeploymentQuerySet:
    """Return the deployments that an operation's attempts recorded."""
    begun: DeploymentQuerySet = operation.environment.deployments.filter(
        actor=operation.actor, kind=operation.kind, at__gte=operation.asked_at
    )
    if operation.kind != Kind.PUSH:  # a push chooses its release itself
        release, percent = operation.options["release"], operation.options["percent"]
        begun = begun.filter(release__name=release, percent=percent)
    return begun


def _end(operation: Operation, state: State, deployment: Deployment | None) -> bool:
    """Close an operation, once. A task that another one was taken for does not."""
    still_open = Operation.objects.filter(
        pk=operation.pk, ended_at=None, attempts=operation.attempts
    )
    return bool(still_open.update(state=state, deployment=deployment, ended_at=database_now()))


def _remove_upload(operation: Operation) -> None:
    """Remove the upload of an operation that has ended. What is left, `uploads.forget` removes."""
    if upload := operation.options.get("upload"):
        try:
            uploads.remove(get_backend().objects, upload)
        except EdgeError as error:
            log.warning("The upload of operation %s is left for now: %s", operation.pk, error)


def _say(operation: Operation, line: str, *, is_fault: bool = False) -> None:
    operation.steps.create(line=line[:LONGEST_LINE], is_fault=is_fault)
