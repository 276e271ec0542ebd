"""The processes of one queue: django-q's, in a process group, and none outlives its parent.

django-q restarts a process that was killed, but the killed one may have held a lock that the others
share, which stops them for good without a word. So a cluster is replaced as a whole, and whether it
has to be is for the supervisor to say. Here each worker reports when it begins and ends a task.
"""

import ctypes
import os
import signal
import struct
import sys
import time
from contextlib import suppress
from multiprocessing import get_context
from multiprocessing.context import ForkProcess
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.db import connections
from django_q.cluster import Sentinel
from django_q.conf import Conf
from django_q.signals import post_execute_in_worker, post_spawn, pre_execute

from deployments.locks.lease import is_running

# Of prctl(2).
PR_SET_PDEATHSIG, PR_SET_NAME = 1, 15
# A worker's process id, and whether it has a task.
REPORT = struct.Struct("=ii")
READ_AT_ONCE = 8192 * REPORT.size


class Cluster:
    """The cluster of a queue, as its supervisor sees it."""

    def __init__(self, queue: str) -> None:
        """Start it. The caller is single-threaded: the cluster is a fork, which shares memory."""
        self.queue = queue
        self._working: set[int] = set()
        connections.close_all()  # a connection must not be in two processes
        sys.stdout.flush()
        self._reports, reports = os.pipe()
        os.set_blocking(self._reports, False)
        arguments = (queue, os.getpid(), reports)
        self._process: ForkProcess = get_context("fork").Process(target=_work, args=arguments)
        self._process.start()
        os.close(reports)

    @property
    def ended(self) -> str:
        """How the main process ended, or "" while it runs."""
        code = self._process.exitcode
        if code is None:
            return ""
        return f"killed by signal {-code}" if code < 0 else f"exit code {code}"

    def busy(self) -> int:
        """Return how many workers have a task. A killed worker has none."""
        for pid, has_task in self._read():
            (self._working.add if has_task else self._working.discard)(pid)
        self._working = {pid for pid in self._working if is_running(pid)}
        return len(self._working)

    def stop(self) -> None:
        """Ask it to finish the running tasks and end."""
        if not self.ended:
            self._process.terminate()

    def kill(self) -> None:
        """End every process of it at once."""
        if not self.ended:
            self._process.kill()  # it may not have made its group yet
        with suppress(ProcessLookupError):
            os.killpg(self._process.ident or 0, signal.SIGKILL)
        self._process.join()
        os.close(self._reports)

    def _read(self) -> list[tuple[int, int]]:
        try:
            return list(REPORT.iter_unpack(os.read(self._reports, READ_AT_ONCE)))
        except BlockingIOError:
            return []


def configure(queue: str) -> None:
    """Use a queue's settings in this process, as Q_CLUSTER_NAME does at the start of `qcluster`."""
    for name, value in settings.Q_CLUSTER["ALT_CLUSTERS"].get(queue, {}).items():
        setattr(Conf, name.upper(), value)
    Conf.CLUSTER_NAME = queue


def _work(queue: str, supervisor: int, reports: int) -> None:
    """Be the main process of a cluster until it is asked to stop."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    os.setsid()
    _end_with(supervisor)
    _let_children_end_with_their_parent()
    configure(queue)
    os.set_blocking(reports, False)
    pre_execute.connect(lambda **kwargs: _report(reports, 1), weak=False)
    post_execute_in_worker.connect(lambda **kwargs: _report(reports, 0), weak=False)
    _name(queue)
    post_spawn.connect(lambda **kwargs: _name(f"w {queue}"), weak=False)
    stop = _Flag()
    sentinel = Sentinel(stop, _Flag(), uuid4(), start=False)
    signal.signal(signal.SIGTERM, lambda *args: stop.set())
    sentinel.start()


def _report(reports: int, has_task: int) -> None:
    with suppress(OSError):  # the supervisor is gone, and soon this process is too
        os.write(reports, REPORT.pack(os.getpid(), has_task))


class _Flag:
    """The part of multiprocessing.Event that a sentinel uses, safe to set in a signal handler."""

    def __init__(self) -> None:
        self._is_set = False

    def set(self) -> None:
        self._is_set = True

    def is_set(self) -> bool:
        return self._is_set

    def wait(self, seconds: float) -> bool:
        if not self._is_set:
            time.sleep(seconds)
        return self._is_set


def _let_children_end_with_their_parent() -> None:
    """Make it so for every process that is forked from this one, and from those."""
    parent = 0

    def before() -> None:
        nonlocal parent
        parent = os.getpid()

    def in_child() -> None:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)  # the sentinel ends a worker with it
        _end_with(parent)

    os.register_at_fork(before=before, after_in_child=in_child)


def _name(name: str) -> None:
    """Name this process, for `ps -e -o pid,comm`: after its queue, a worker with a `w`."""
    if sys.platform == "linux":
        _libc.prctl(PR_SET_NAME, name.encode())


def _end_with(parent: int) -> None:
    """Let the kernel kill this process when its parent ends. Only Linux has this call."""
    if sys.platform != "linux":
        return
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it ended before the call
        os.kill(os.getpid(), signal.SIGKILL)


_libc: Any = ctypes.CDLL(None)
