"""Work on many items in a bounded number of threads."""

import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, TypeVar

MOST_THREADS = 256
T = TypeVar("T")


def bounded_map(
    work: Callable[[T], object],
    items: Iterable[T],
    *,
    at_once: Callable[[], int],
    on_done: Callable[[T], None],
) -> None:
    """Work on every item; call `on_done` for one item at a time.

    `at_once` returns how many threads may work now, 1 to 256; it is asked before each item, so the
    number can rise and fall. An item is taken when a thread is free, so any number of them costs no
    memory. Raises the first error; no item is started after it, and those in progress have ended.
    """
    with ThreadPoolExecutor(MOST_THREADS) as pool:
        crew = _Crew(pool, work, iter(items), at_once, on_done)
        try:
            crew.start()
            crew.ended.wait()
        finally:
            crew.stop()
    if crew.error:
        raise crew.error


class _Crew(Generic[T]):
    """Threads that take items from one iterator. Each may start another one."""

    def __init__(
        self,
        pool: ThreadPoolExecutor,
        work: Callable[[T], object],
        items: Iterator[T],
        at_once: Callable[[], int],
        on_done: Callable[[T], None],
    ) -> None:
        self._pool, self._work, self._items = pool, work, items
        self._at_once, self._on_done = at_once, on_done
        self._lock = threading.Lock()
        self._threads = 0
        self._is_stopped = False
        self.ended = threading.Event()
        self.error: BaseException | None = None

    def start(self) -> None:
        with self._lock:
            self._join()

    def stop(self) -> None:
        with self._lock:
            self._is_stopped = True

    def _run(self) -> None:
        try:
            while (item := self._next()) is not None:
                self._work(item)
                with self._lock:
                    self._on_done(item)
        except BaseException as error:
            with self._lock:
                self.error = self.error or error
                self._is_stopped = True
                self._leave()

    def _next(self) -> T | None:
        """Take an item, or leave: without one, or because there are too many of us."""
        with self._lock:
            allowed = self._at_once()
            item = None
            if not self._is_stopped and self._threads <= allowed:
                item = next(self._items, None)
            if item is None:
                self._leave()
            elif self._threads < allowed:
                self._join()
            return item

    def _join(self) -> None:
        self._threads += 1
        self._pool.submit(self._run)

    def _leave(self) -> None:
        self._threads -= 1
        if not self._threads:
            self.ended.set()
