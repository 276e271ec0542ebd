"""Running a hook's command: no shell, none of our secrets, a time limit.

A command that is ended takes the processes with it that it started.
"""

import json
import os
import select
import shlex
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import IO, Any

from deployments.errors import Refused
from deployments.hooks.answers import Answer, Payload

# All that a command inherits: where programs are, and how to write text and times.
INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR")
VARIABLES = (
    *("event", "environment", "url", "release", "previous", "kind", "actor"),
    *("commit", "branch", "deployment", "result"),
)
# The end of the output is kept, which has the reason of most failures.
KEPT_BYTES = 2_000
READ_BYTES = 65_536
POLL_SECONDS = 0.2
Process = subprocess.Popen[bytes]


def check_command(text: str) -> None:
    """Raise Refused if a text cannot be read as a command."""
    try:
        words = shlex.split(text) if text.isprintable() else []
    except ValueError:
        words = []
    if not words:
        raise Refused(
            "hook-command",
            f"Expected a command with its arguments, found {text!r}.",
            "Quote arguments as in a shell, such as: /usr/local/bin/announce 'New release'",
        )


def run_command(text: str, payload: Payload, *, delivery: str, seconds: float) -> Answer:
    """Run a command with the payload on standard input, and its main values in the environment."""
    ends = time.monotonic() + seconds
    try:
        with _started(text, payload, delivery) as process:
            said = _read(process, ends)
            code = process.wait(max(ends - time.monotonic(), 0))
    except subprocess.TimeoutExpired:
        return Answer.of(False, f"Ended after {seconds:.1f} s, its time limit")
    except OSError as error:
        return Answer.of(False, f"It cannot be run: {error.strerror or error}")
    return Answer.of(code == 0, f"Exit code {code}. {said}")


def environment_of(payload: Payload, delivery: str) -> dict[str, str]:
    """Return the environment of a command."""
    inherited = {name: os.environ[name] for name in INHERITED if name in os.environ}
    ours = {f"QDN_{name.upper()}": str(payload[name] or "") for name in VARIABLES}
    return {**inherited, **ours, "QDN_DELIVERY": delivery}


@contextmanager
def _started(text: str, payload: Payload, delivery: str) -> Iterator[Process]:
    """Start a command in a process group, which is killed if the block ends before it."""
    with tempfile.TemporaryFile() as given:
        given.write(json.dumps(payload).encode())
        given.seek(0)
        process = subprocess.Popen(  # noqa: S603 - only those who may run code here enter commands
            shlex.split(text),
            stdin=given,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=environment_of(payload, delivery),
            cwd="/",
            start_new_session=True,
        )
    try:
        yield process
    finally:
        _end(process)


def _end(process: Process) -> None:
    if process.poll() is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    _output(process).close()


def _read(process: Process, ends: float) -> str:
    """Read until the command ends, and return the end of its output."""
    output, kept = _output(process), b""
    while (left := ends - time.monotonic()) > 0:
        # A process that it left in the background may keep the output open.
        has_ended = process.poll() is not None
        if select.select([output], [], [], 0 if has_ended else min(left, POLL_SECONDS))[0]:
            data = os.read(output.fileno(), READ_BYTES)
            kept = (kept + data)[-KEPT_BYTES:]
            if not data:
                break
        elif has_ended:
            break
    return kept.decode(errors="replace")


def _output(process: Process) -> IO[Any]:
    assert process.stdout is not None  # noqa: S101 - it is a pipe
    return process.stdout
