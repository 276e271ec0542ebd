"""The progress bar of an upload: files, bytes, rate, time left."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from deployments.releases.upload_plan import ReleasePlan
from edge.protocols import NewObject

if TYPE_CHECKING:
    from rich.progress import Progress

# A request takes about as long as this many bytes, so copies count towards the time left.
REQUEST_BYTES = 64 * 1024


@contextmanager
def progress_of(plan: ReleasePlan, *, quiet: bool) -> Iterator[Callable[[NewObject], None]]:
    """Show the progress of a plan. Call the result with each stored object.

    Shows nothing if `quiet`, or without a terminal.
    """
    if quiet or not sys.stdout.isatty():
        yield lambda new: None
        return
    shown = _Shown(plan)
    try:
        yield shown.advance
    finally:
        shown.bar.stop()


class _Shown:
    """A bar with its counts. It appears with the first object."""

    def __init__(self, plan: ReleasePlan) -> None:
        self._files = len(plan.uploads) + len(plan.copies)
        self._bytes = sum(file.artifact.size for file in plan.uploads)
        self._done_files = self._done_bytes = 0
        self._started = time.monotonic()
        self.bar = _bar()
        self._task = self.bar.add_task("", total=self._bytes + self._files * REQUEST_BYTES)

    def advance(self, new: NewObject) -> None:
        """Count an object. A copy costs a request but no bytes."""
        size = 0 if new.copy_of else new.size
        self._done_files += 1
        self._done_bytes += size
        self.bar.start()
        self.bar.update(self._task, advance=size + REQUEST_BYTES, description=self.line())

    def line(self) -> str:
        """Return how much is done and how fast, as text."""
        from rich.filesize import decimal  # noqa: PLC0415 - see _bar

        rate = decimal(int(self._done_bytes / max(time.monotonic() - self._started, 0.001)))
        return (
            f"{self._done_files:,} of {self._files:,} files, "
            f"{decimal(self._done_bytes)} of {decimal(self._bytes)}, {rate}/s"
        )


def _bar() -> "Progress":
    # Imported here because it is slow, and most commands show no bar.
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn  # noqa: PLC0415

    columns = BarColumn(), TextColumn("{task.description}"), TimeRemainingColumn()
    return Progress(*columns, transient=True)
