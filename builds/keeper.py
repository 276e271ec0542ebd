"""Keeps the processes of one build together: a program of its own, `python keeper.py`.

Every process that the command leaves behind becomes a child of this one, also if it has begun a
session of its own. They are all killed when the command has ended, or when standard input is closed
because the builder wants that or was killed. It imports nothing of the project, and its environment
is the command's, so it has no secrets that the command could read.
"""

import ctypes
import os
import resource
import select
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

PR_SET_CHILD_SUBREAPER = 36  # prctl(2)
STOPPED = 130
PAUSE_SECONDS = 0.1


def main(file_bytes: int, user: str, command: str) -> int:
    """Run a command with bash, and return its exit code as a shell would."""
    _adopt_orphans()
    uid, gid, groups = _owner(user)
    child = subprocess.Popen(  # noqa: S603 - running the command is what this is for
        ["bash", "-c", command],  # noqa: S607 - as PATH says
        stdin=subprocess.DEVNULL,
        start_new_session=True,
        # This process has one thread.
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (file_bytes, file_bytes)),  # noqa: PLW1509
        user=uid,
        group=gid,
        extra_groups=groups,
    )
    try:
        code = _wait(child)
    finally:
        _kill_all(child)
    return STOPPED if code is None else code if code >= 0 else 128 - code


def _owner(user: str) -> tuple[int | None, int | None, list[int] | None]:
    if not user:
        return None, None, None
    import pwd  # noqa: PLC0415 - most builds run as the builder's user

    entry = pwd.getpwnam(user)
    return entry.pw_uid, entry.pw_gid, os.getgrouplist(user, entry.pw_gid)


def _adopt_orphans() -> None:
    with suppress(AttributeError, OSError):  # Linux
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _wait(child: "subprocess.Popen[bytes]") -> int | None:
    """Wait for the command; return None if standard input was closed before."""
    watched = [0]
    with suppress(AttributeError, OSError):  # Linux
        watched.append(os.pidfd_open(child.pid))
    timeout = PAUSE_SECONDS if len(watched) == 1 else None
    while (code := child.poll()) is None:
        ready, _, _ = select.select(watched, [], [], timeout)
        if 0 in ready:
            return None
    return code


def _kill_all(child: "subprocess.Popen[bytes]") -> None:
    """Kill every descendant, and those that they make in the meantime."""
    with suppress(OSError):
        os.killpg(child.pid, signal.SIGKILL)
    with suppress(OSError):
        child.wait(timeout=PAUSE_SECONDS)
    while found := _descendants():
        for pid in found:
            with suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        with suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        time.sleep(0.005)


def _descendants() -> list[int]:
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it has just ended
            parent = int(stat.read_text().rpartition(")")[2].split()[1])
            children.setdefault(parent, []).append(int(stat.parent.name))
    found: list[int] = []
    level = [os.getpid()]
    while level:
        level = [child for parent in level for child in children.get(parent, [])]
        found += level
    return found


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), sys.argv[2], sys.argv[3]))
