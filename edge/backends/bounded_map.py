"""Runs a function on many items in a bounded number of threads."""

import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import Generic, TypeVar

T = TypeVar("T")


def bounded_map(
    work: Callable[[T], object], items: Iterable[T], *, at_once: int, on_done: Callable[[T], None]
) -> None:
    """Call `work` on every item in `at_once` threads, and `on_done` on one item at a time.

    An item is taken when a thread is free, so an iterator of any length uses no memory. Raises the
    first error: no item is started after it, and those in progress have ended.
    """
    shared = _Shared(work, iter(items), on_done)
    with ThreadPoolExecutor(at_once) as pool:
        try:
            for thread in as_completed([pool.submit(shared.run) for _ in range(at_once)]):
                thread.result()
        finally:
            shared.stop.set()


class _Shared(Generic[T]):
    """The state that the threads share."""

    def __init__(
        self, work: Callable[[T], object], items: Iterator[T], on_done: Callable[[T], None]
    ) -> None:
        self._work, self._items, self._on_done = work, items, on_done
        self._lock = threading.Lock()
        self.stop = threading.Event()

    def run(self) -> None:
        """Take items until none is left or a thread has failed."""
        try:
            while (item := self._next()) is not None:
                self._work(item)
                with self._lock:
                    self._on_done(item)
        except BaseException:
            self.stop.set()
            raise

    def _next(self) -> T | None:
        with self._lock:
            return None if self.stop.is_set() else next(self._items, None)
