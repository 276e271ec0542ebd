"""Asking the store many small things at once."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

AT_ONCE = 8
T = TypeVar("T")
R = TypeVar("R")


def at_once(work: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
    """Do something to each item, several at a time; what fails first is raised."""
    pool = ThreadPoolExecutor(AT_ONCE)
    try:
        yield from [task.result() for task in [pool.submit(work, item) for item in items]]
    finally:
        pool.shutdown(cancel_futures=True)
