"""The hooks after a deployment: rows say what is to be delivered, and tasks deliver it.

A deployment only writes the rows and queues their tasks, so a hook can neither delay it nor make it
fail. An attempt writes the row of the next one before it begins, so a killed one is followed too: a
delivery may arrive twice, and its id says so.
"""

import logging
from datetime import timedelta

from django.conf import settings
from django.db import DatabaseError, transaction
from django.db.models import QuerySet
from django_q.tasks import async_task
from redis.exceptions import RedisError

from deployments.errors import DeploymentError
from deployments.hooks.answers import Answer
from deployments.hooks.call import call
from deployments.hooks.payload import payload_of
from deployments.models import Hook, HookRun, Outcome
from deployments.wording import reason_of
from edge.database_clock import database_now
from edge.protocols import Backend

log = logging.getLogger(__name__)
TASK = "deployments.tasks.call_hook"
# After a failed attempt. The last one has none.
PAUSES = (
    timedelta(seconds=15),
    timedelta(minutes=2),
    timedelta(minutes=15),
    timedelta(hours=1),
)
MOST_ATTEMPTS = len(PAUSES) + 1
# When a task that was queued counts as lost.
LOST = timedelta(minutes=10)
KEPT = timedelta(days=90)
Status = HookRun.Status


def announce(backend: Backend, outcome: Outcome) -> None:
    """Queue the calls of an outcome's hooks. Failures are logged, and never the deployment's."""
    try:
        with transaction.atomic():
            runs = _written(backend, outcome)
    except (DatabaseError, DeploymentError) as error:
        log.error("Hooks of deployment %s are not called: %s", outcome.deployment_id, error)
        return
    for run in runs:
        if not _enqueue(run):
            break  # the others would wait for the queue too; `enqueue_due` follows


def _written(backend: Backend, outcome: Outcome) -> list[HookRun]:
    deployment = outcome.deployment
    succeeded = outcome.result == Outcome.Result.SUCCEEDED
    moment = Hook.Moment.AFTER if succeeded else Hook.Moment.FAILED
    hooks = list(deployment.environment.hooks.filter(moment=moment, active=True))
    if not hooks:
        return []
    previous = deployment.replaced.name if deployment.replaced else ""
    payload = payload_of(backend, deployment, previous=previous, moment=moment, outcome=outcome)
    due_at = database_now() + LOST
    return [
        HookRun.objects.create(hook=hook, deployment=deployment, payload=payload, due_at=due_at)
        for hook in hooks
    ]


def enqueue_due() -> None:
    """Queue each attempt whose time has come, or whose task was lost."""
    due = HookRun.objects.filter(status=Status.WAITING, due_at__lte=database_now())
    for run in due.order_by("pk"):
        taken = due.filter(pk=run.pk).update(due_at=database_now() + LOST)
        if taken and not _enqueue(run):
            break


def _enqueue(run: HookRun) -> bool:
    """Queue an attempt's task; return False if the queue does not take it."""
    # In the queue that may wait. A repeated task would find its row begun.
    limits = {"timeout": int(settings.HOOK_SECONDS) + 30, "ack_failure": True}
    try:
        async_task(TASK, run.pk, q_options={"group": "hooks", **limits})
    except (RedisError, DatabaseError) as error:
        log.warning("%s waits: the task queue did not take it: %s", run, reason_of(error))
        return False
    return True


def carry_out(run_id: int) -> None:
    """Make one attempt, unless another task has."""
    run = HookRun.objects.select_related("hook").filter(pk=run_id).first()
    if run is None or not _begin(run):  # its hook was removed, or another task was faster
        return
    if run.hook.active:
        answer = call(run.hook, run.payload, delivery=run.delivery, seconds=settings.HOOK_SECONDS)
    else:
        answer = Answer(False, "The hook was turned off before this attempt")
    if answer.ok or not run.hook.active:
        _attempts(run).filter(status=Status.WAITING).delete()
    if not answer.ok:
        log.warning("%s, attempt %s: %s", run.hook, run.attempt, answer.detail)
    status = Status.SUCCEEDED if answer.ok else Status.FAILED
    HookRun.objects.filter(pk=run.pk).update(status=status, detail=answer.detail)


def _begin(run: HookRun) -> bool:
    """Take a row and write that of the next attempt. Return False if another task has taken it."""
    now = database_now()
    with transaction.atomic():
        waiting = HookRun.objects.filter(pk=run.pk, status=Status.WAITING)
        if not waiting.update(status=Status.BEGUN, at=now):
            return False
        if run.attempt < MOST_ATTEMPTS:
            HookRun.objects.create(
                hook=run.hook,
                deployment_id=run.deployment_id,
                delivery=run.delivery,
                payload=run.payload,
                attempt=run.attempt + 1,
                due_at=now + timedelta(seconds=settings.HOOK_SECONDS) + PAUSES[run.attempt - 1],
            )
    return True


def _attempts(run: HookRun) -> QuerySet[HookRun]:
    return HookRun.objects.filter(hook=run.hook_id, delivery=run.delivery)


def forget() -> int:
    """Delete old rows of the log; return how many."""
    return HookRun.objects.filter(at__lt=database_now() - KEPT).delete()[0]
