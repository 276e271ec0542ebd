"""The folder of a build: made for it, and removed with all that it left."""

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings

from builds.models import Build

PREFIX = "qdn-build-"
ATTEMPTS = 5
PAUSE_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Folder:
    """Where a build works: its checkout, and a home and temporary folder of its own."""

    path: Path

    @property
    def checkout(self) -> Path:
        return self.path / "checkout"

    @property
    def home(self) -> Path:
        return self.path / "home"

    @property
    def temporary(self) -> Path:
        return self.path / "tmp"

    def size(self) -> int:
        """Return the bytes that its files take on the disk."""
        return _size(str(self.path))

    def hand_over(self) -> None:
        """Give all of it to BUILD_USER."""
        user = settings.BUILD_USER
        if not user:
            return
        for folder, _, files in os.walk(self.path):
            for path in [Path(folder), *(Path(folder, name) for name in files)]:
                if not path.is_symlink():
                    shutil.chown(path, user)


@contextmanager
def folder_of(build: Build) -> Iterator[Folder]:
    """Make the folder of a build and remember it; remove it when the block ends."""
    path = tempfile.mkdtemp(prefix=PREFIX)
    Build.objects.filter(pk=build.pk).update(folder=path)
    folder = Folder(Path(path))
    try:
        for part in (folder.checkout, folder.home, folder.temporary):
            part.mkdir()
        yield folder
    finally:
        remove(path)
        Build.objects.filter(pk=build.pk).update(folder="")


def remove(path: str) -> None:
    """Remove a build's folder, if there is one. What was write-protected goes too."""
    if not Path(path).name.startswith(PREFIX):
        return
    for _ in range(ATTEMPTS):
        shutil.rmtree(path, onerror=_unprotect)
        if not Path(path).exists():
            return
        time.sleep(PAUSE_SECONDS)  # a process that is being killed still wrote


def _unprotect(function: Callable[..., Any], path: str, info: Any) -> None:
    """Make the folder of an entry writable, and remove the entry."""
    with suppress(OSError):
        Path(path).parent.chmod(0o700)
        if not Path(path).is_symlink():
            Path(path).chmod(0o700)
        function(path)


def _size(path: str) -> int:
    total = 0
    with suppress(OSError), os.scandir(path) as entries:  # it is being changed
        for entry in entries:
            with suppress(OSError):
                if entry.is_dir(follow_symlinks=False):
                    total += _size(entry.path)
                else:
                    total += entry.stat(follow_symlinks=False).st_blocks * 512
    return total
