"""SHA-256 of many files, by helpers where there are cores for them, beside what else is to do.

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

HELPERS_AT_MOST = 3
OWN = 4  # one file in this many
FILES_EACH = 1_000  # starting a helper takes as long as hashing some hundreds


@contextmanager
def hashing(paths: Sequence[str]) -> Iterator[Callable[[], list[Digest]]]:
    """Begin to hash files; what is given waits for all of them, in their order.

    It raises OSError.
    """
    idle = (os.cpu_count() or 1) - 1
    count = min(idle, HELPERS_AT_MOST, len(paths) // FILES_EACH)
    # The smaller part stays here, where other things come first.
    own, others = paths[::OWN], [path for number, path in enumerate(paths) if number % OWN]
    shares = [others[first::count] for first in range(count)]

    def finished() -> list[Digest]:
        known = {path: hash_file(path) for path in own}
        for share, answers in zip(shares, helpers, strict=True):
            known.update(zip(share, answers(), strict=False))
        return [known.get(path) or hash_file(path) for path in paths]

    with ExitStack() as stack:
        helpers = [stack.enter_context(_helping(share)) for share in shares]
        yield finished


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
