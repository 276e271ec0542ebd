"""Doing many small things at once, in a bounded number of threads."""

import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import Generic, TypeVar

T = TypeVar("T")


def bounded_map(
    work: Callable[[T], object], items: Iterable[T], *, at_once: int, on_done: Callable[[T], None]
) -> None:
    """Work on every item, `at_once` at a time; `on_done` is called for one item at a time.

    Items are taken when a thread is free, so any number of them costs no memory. Raises the first
    error met; no item is begun after it, and those under way have ended by then.
    """
    shared = _Shared(work, iter(items), on_done)
    with ThreadPoolExecutor(at_once) as pool:
        try:
            for thread in as_completed([pool.submit(shared.run) for _ in range(at_once)]):
                thread.result()
        finally:
            shared.stop.set()


class _Shared(Generic[T]):
    """What the threads share."""

    def __init__(
        self, work: Callable[[T], object], items: Iterator[T], on_done: Callable[[T], None]
    ) -> None:
        self._work, self._items, self._on_done = work, items, on_done
        self._lock = threading.Lock()
        self.stop = threading.Event()

    def run(self) -> None:
        """Take items until there are none, or something went wrong."""
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
