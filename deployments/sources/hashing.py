"""SHA-256 of many files: by this process and, where there are cores for them, by helpers.

Threads would wait for each other, since most files are too small for them. What no helper answers
is hashed here, so that one that fails costs nothing but time. A helper that nobody waits for any
more ends with the last of its paths.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from tempfile import TemporaryFile
from typing import BinaryIO

from deployments.sources import digests
from deployments.sources.digests import Digest, hash_file

PROCESSES_AT_MOST = 4
FILES_EACH = 1_000  # starting a helper takes as long as hashing some hundreds


def hash_files(paths: Sequence[str]) -> list[Digest]:
    """Hash files, in their order. Raises OSError."""
    processes = max(1, min(os.cpu_count() or 1, PROCESSES_AT_MOST, len(paths) // FILES_EACH))
    own, *others = (paths[first::processes] for first in range(processes))
    known: dict[str, Digest] = {}
    with ExitStack() as stack:
        helpers = [stack.enter_context(_helping(share)) for share in others]
        known.update((path, hash_file(path)) for path in own)
        for share, answers in zip(others, helpers, strict=True):
            known.update(zip(share, answers(), strict=False))
    return [known.get(path) or hash_file(path) for path in paths]


@contextmanager
def _helping(paths: Sequence[str]) -> Iterator[Callable[[], Iterable[Digest]]]:
    """Have a helper hash files meanwhile; what is given waits for it, and has all or nothing.

    Files lie between the two, because pipes would make them wait for each other.
    """
    with ExitStack() as stack:
        try:
            names, answers = (stack.enter_context(TemporaryFile()) for _ in range(2))
            names.write(b"\0".join(map(os.fsencode, paths)))
            names.seek(0)
            process = stack.enter_context(_started(names, answers))
        except OSError:
            yield tuple
            return
        stack.callback(process.kill)
        yield lambda: _read(answers) if process.wait() == 0 else ()


def _started(names: BinaryIO, answers: BinaryIO) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603 - this interpreter, without site-packages to start fast
        [sys.executable, "-I", "-S", digests.__file__],
        stdin=names,
        stdout=answers,
        stderr=subprocess.DEVNULL,
    )


def _read(answers: BinaryIO) -> Iterator[Digest]:
    answers.seek(0)
    for line in answers:
        sha256, size = line.decode().split()
        yield sha256, int(size)
