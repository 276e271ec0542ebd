"""Running the command of a build: with limits, in an environment that has none of our secrets."""

import os
import pwd
import selectors
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from builds.folders import Folder
from builds.log import Log
from deployments.errors import Refused
from deployments.sources.build_tables import BuildSettings

KEEPER = Path(__file__).with_name("keeper.py")
TICK_SECONDS = 0.5
CHUNK_BYTES = 64 * 1024
END_SECONDS = 30
# How much of the time may go into adding up the folder's files.
SHARE_OF_TIME = 10
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True, slots=True)
class Limits:
    """What a build may use."""

    seconds: float
    disk_bytes: int

    @classmethod
    def of(cls, build: BuildSettings) -> "Limits":
        return cls(build.minutes * 60, settings.BUILD_DISK_MB * 2**20)


def check_user() -> None:
    """Refuse a BUILD_USER that builds cannot run as. Raises Refused."""
    user = settings.BUILD_USER
    if not user:
        return
    try:
        pwd.getpwnam(user)
    except KeyError as error:
        raise Refused(
            "build-user", f"BUILD_USER is '{user}', which is not a user here.", "Create the user."
        ) from error
    if os.geteuid():
        raise Refused(
            "build-user",
            f"Only root can run builds as BUILD_USER '{user}'.",
            "Run the builder as root, or remove the setting.",
        )


def run_command(
    command: str, *, folder: Folder, limits: Limits, log: Log, check: Callable[[], None]
) -> None:
    """Run a command in the checkout until it ends, and no longer than its limits allow.

    `check` is called twice a second and raises if the build is not wanted any more. Raises Refused
    (`build-failed`, `build-too-long`, `build-too-large`), and what `check` raises. No process of
    the command is left then.
    """
    with _kept(command, folder, limits) as keeper:
        try:
            _follow(keeper, folder, limits, log, check)
        finally:
            _end(keeper, log)
    if folder.size() >= limits.disk_bytes:
        raise _too_large(limits)
    if keeper.returncode:
        raise Refused(
            "build-failed",
            f"The build command ended with exit code {keeper.returncode}.",
            "Fix what the log above says, then push again.",
        )


@contextmanager
def _kept(command: str, folder: Folder, limits: Limits) -> Iterator["subprocess.Popen[bytes]"]:
    """Start the command under its keeper, which ends it when standard input is closed."""
    program = [sys.executable, "-I", "-S", str(KEEPER)]
    with subprocess.Popen(  # noqa: S603 - running the command is what this is for
        [*program, str(limits.disk_bytes), settings.BUILD_USER, command],
        cwd=folder.checkout,
        env=environment(folder),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    ) as keeper:
        yield keeper


def environment(folder: Folder) -> dict[str, str]:
    """Return the environment of a command: only what builds need, and BUILD_ENVIRONMENT."""
    chosen = {name: os.environ.get(name) for name in settings.BUILD_ENVIRONMENT}
    return {
        "PATH": os.environ.get("PATH", PATH),
        "HOME": str(folder.home),
        "TMPDIR": str(folder.temporary),
        "LANG": "C.UTF-8",
        "TERM": "dumb",
        "NO_COLOR": "1",
        "CI": "true",
        **{name: value for name, value in chosen.items() if value is not None},
    }


def _follow(
    keeper: "subprocess.Popen[bytes]",
    folder: Folder,
    limits: Limits,
    log: Log,
    check: Callable[[], None],
) -> None:
    """Read the output until the command has ended. Raises as run_command does."""
    deadline = time.monotonic() + limits.seconds
    next_look = next_size = 0.0
    for data in _read(keeper):
        log.output(data)
        now = time.monotonic()
        if now >= deadline:
            raise _too_long(limits)
        if now >= next_look:
            check()
            next_look = now + TICK_SECONDS
        if now >= next_size:
            if folder.size() >= limits.disk_bytes:
                raise _too_large(limits)
            spent = time.monotonic() - now
            next_size = now + max(TICK_SECONDS, SHARE_OF_TIME * spent)


def _read(keeper: "subprocess.Popen[bytes]") -> Iterator[bytes]:
    """Return output as it comes, and nothing twice a second, until the command has ended."""
    assert keeper.stdout is not None  # noqa: S101 - it is a pipe
    with selectors.DefaultSelector() as selector:
        selector.register(keeper.stdout, selectors.EVENT_READ)
        while True:
            if not selector.select(TICK_SECONDS):
                yield b""
            elif data := os.read(keeper.stdout.fileno(), CHUNK_BYTES):
                yield data
            else:
                return


def _end(keeper: "subprocess.Popen[bytes]", log: Log) -> None:
    """Let the keeper kill what is left of the command, and wait until it has."""
    assert keeper.stdin is not None  # noqa: S101 - it is a pipe
    with suppress(BrokenPipeError):
        keeper.stdin.close()
    try:
        keeper.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        keeper.kill()
    log.end_output()


def _too_long(limits: Limits) -> Refused:
    return Refused(
        "build-too-long",
        f"The build command did not end within {limits.seconds / 60:g} minutes and was stopped.",
        "Make it faster, or allow it up to 60 with 'minutes' in [build] of qdn.toml.",
    )


def _too_large(limits: Limits) -> Refused:
    return Refused(
        "build-too-large",
        f"The build wrote more than {limits.disk_bytes // 2**20:,} MB and was stopped.",
        "Write less, or raise BUILD_DISK_MB.",
    )
