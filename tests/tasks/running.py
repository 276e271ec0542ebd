"""`manage.py work` as a process of its own, and the processes of its clusters."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
PARTS = ("sentinel", "worker", "monitor", "pusher")


class Work:
    """A running `manage.py work`; what it prints is in `log`."""

    def __init__(self, environ, log):
        self.environ, self.log = environ, log
        self.start()

    def start(self):
        with self.log.open("ab") as out:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "work"],
                cwd=ROOT, env=self.environ, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
            )  # fmt: skip

    def find(self, queue, part):
        """Return the id of a process; a worker is the first of its cluster."""
        if part == "supervisor":
            return self.process.pid
        for sentinel in children(self.process.pid):
            if name(sentinel) == queue:
                if part == "sentinel":
                    return sentinel
                for pid in sorted(children(sentinel)):
                    if part_of(pid) == part:
                        return pid
        return None

    def kill(self, queue, part):
        """Kill a process and return its id."""
        pid = wait_for(lambda: self.find(queue, part), f"the {part} of {queue}")
        os.kill(pid, signal.SIGKILL)
        if part == "supervisor":
            self.process.wait()
        return pid

    def everyone(self):
        """Return the ids of all its processes."""
        found, new = [], [self.process.pid]
        while new:
            found += new
            new = [child for pid in new for child in children(pid)]
        return found

    def stop(self, seconds=60):
        self.process.terminate()
        return self.process.wait(timeout=seconds)


def children(pid):
    try:
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def name(pid):
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""


def part_of(pid):
    """Return which part of a cluster a process is, once the cluster has done a task.

    Only a pusher puts something into a queue, which takes a thread; workers have names.
    """
    if name(pid).startswith("w "):
        return "worker"
    try:
        return "pusher" if len(os.listdir(f"/proc/{pid}/task")) > 1 else "monitor"
    except OSError:
        return ""


def is_alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def wait_for(holds, what, seconds=60):
    """Wait until `holds` returns something true; return it."""
    deadline = time.monotonic() + seconds
    while not (found := holds()):
        assert time.monotonic() < deadline, f"waited {seconds} s for {what}"
        time.sleep(0.05)
    return found
