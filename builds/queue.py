"""Builds that a task carries out, because no process waits for them.

The rows say what is to be built; a task only says that it should be now. A task that was lost with
its queue is found by the queue's heartbeat (qdn/tasks/heartbeat.py).
"""

from functools import partial

from django.db import transaction
from django_q.tasks import async_task

from builds.models import Build
from builds.turns import is_gone, settle_killed
from deployments.operations.progress import SOON
from edge.database_clock import database_now

TASK = "builds.tasks.run_build"
QUEUE = "builds"


def enqueue(build: Build) -> None:
    """Have a task carry out a build, asked for with `is_queued`, once the change is committed.

    An outage of the queue is logged and does not stop the caller: the heartbeat finds the build.
    """
    transaction.on_commit(partial(_send, build.pk), robust=True)


def resume() -> None:
    """Enqueue the builds that wait and have no task; settle those whose task was killed.

    Call it in a task of the same queue: what was enqueued earlier and still waits has been lost.
    """
    for build in Build.objects.unfinished().filter(is_queued=True).order_by("pk"):
        if build.host and is_gone(build):
            _release(build)
        elif not build.host and database_now() - build.asked_at > SOON:
            _send(build.pk)


def _release(build: Build) -> None:
    """Let another task begin what had not begun; what had begun is interrupted."""
    waits = Build.objects.filter(pk=build.pk, state=Build.State.WAITING, pid=build.pid)
    if not waits.update(host=""):
        settle_killed(build.repository)


def _send(number: int) -> None:
    # A failed task is not run again: the row says how the build ended.
    options = {"cluster": QUEUE, "group": "builds", "ack_failure": True}
    async_task(TASK, number, q_options=options)
