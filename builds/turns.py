"""Whose turn it is: one build at a time for each repository, and the newest of each branch.

Builds decide by their rows. One that waits or builds gives up when it sees a later build of the
same branch. One whose process was killed is settled by the next build of the repository.
"""

import socket
import time
from contextlib import suppress

from django.db import IntegrityError, transaction
from django.db.models.functions import Now

from builds import folders
from builds.log import Log
from builds.models import Build, BuildQuerySet
from deployments.errors import ChangedMeanwhile, Refused
from deployments.locks import lease
from deployments.operations.alive import LASTS
from edge.database_clock import database_now

State = Build.State
PAUSE_SECONDS = 0.5


class Superseded(ChangedMeanwhile):
    """A newer commit of the same branch was pushed."""


def claim(build: Build) -> None:
    """Become the process of a build. Raises Refused if it has one, or has ended."""
    rows = Build.objects.filter(pk=build.pk, state=State.WAITING, host="")
    if not rows.update(**lease.this_process(), alive_at=Now()):
        raise Refused(
            "build-taken",
            f"Build {build.pk} has begun or ended already.",
            "See how it ended with: manage.py builds",
        )
    build.refresh_from_db()


def wait_for_turn(build: Build, log: Log) -> None:
    """Wait until no other build of the repository runs. Raises Superseded."""
    _say_what_is_replaced(build, log)
    waits_for = None
    while True:
        check_newest(build)
        settle_killed(build.repository)
        if _begin(build):
            return
        other = _others(build).order_by("pk").first()
        if other and other != waits_for:
            log.say(f"Wait for {other}: a repository has one build at a time")
            waits_for = other
        time.sleep(PAUSE_SECONDS)


def check_newest(build: Build) -> None:
    """Give up a build that a later one of its branch replaces. Raises Superseded."""
    newer = Build.objects.of_branch(build).filter(pk__gt=build.pk).order_by("-pk").first()
    if newer:
        raise Superseded(
            "build-superseded",
            f"{newer.commit[:10]} was pushed to {build.branch} after this commit: "
            f"build {newer.pk} replaces this one.",
        )


def settle_killed(repository: str) -> None:
    """End the builds of a repository whose process is gone, and remove their folders."""
    for build in Build.objects.unfinished().filter(repository=repository).exclude(host=""):
        if is_gone(build) and end(build, State.INTERRUPTED, INTERRUPTED):
            Log(build).fault(INTERRUPTED)
            if build.host == socket.gethostname():
                folders.remove(build.folder)


INTERRUPTED = "Interrupted: its process was killed. Push the commit again to build it."


def is_gone(build: Build) -> bool:
    """Whether the process of an unfinished build no longer runs."""
    if build.host == socket.gethostname():
        return not lease.is_running(build.pid, build.started)
    return build.alive_at is None or database_now() - build.alive_at > LASTS


def end(build: Build, state: Build.State, detail: str = "") -> bool:
    """Record how a build ended, once."""
    rows = Build.objects.unfinished().filter(pk=build.pk)
    changed = rows.update(state=state, detail=detail[:1000], ended_at=database_now())
    build.refresh_from_db()
    return bool(changed)


def _say_what_is_replaced(build: Build, log: Log) -> None:
    for older in Build.objects.of_branch(build).unfinished().filter(pk__lt=build.pk):
        is_building = older.state == State.BUILDING
        what = "cancelled, unless it deploys already" if is_building else "skipped"
        log.say(f"{older} is {what}: this commit is newer")


def _begin(build: Build) -> bool:
    """Start building, unless another build does or has waited longer."""
    if _others(build).filter(pk__lt=build.pk).exists():
        return False
    rows = Build.objects.filter(pk=build.pk, state=State.WAITING)
    with suppress(IntegrityError), transaction.atomic():  # another one was faster
        return bool(rows.update(state=State.BUILDING, started_at=database_now()))
    return False


def _others(build: Build) -> BuildQuerySet:
    """Return the unfinished builds of the same repository that have a process."""
    same = Build.objects.unfinished().filter(repository=build.repository)
    return same.exclude(host="").exclude(pk=build.pk)
