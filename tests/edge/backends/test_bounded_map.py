"""Work on many items: bounded, reported one at a time, ended by the first error."""

import os
import signal
import threading
import time
from collections import deque

import pytest

from edge.backends.bounded_map import bounded_map


def four():
    return 4


def ignore(item):
    pass


def test_every_item_is_worked_on_and_reported_one_at_a_time():
    done, inside = [], threading.Lock()

    def report(item):
        assert inside.acquire(blocking=False)
        done.append(item)
        inside.release()

    bounded_map(ignore, range(1, 500), at_once=four, on_done=report)
    assert sorted(done) == list(range(1, 500))


def test_no_items_need_no_work():
    bounded_map(ignore, [], at_once=four, on_done=ignore)


def test_items_are_taken_when_a_thread_is_free():
    taken, done = [], []

    def items():
        for number in range(1, 100):
            assert len(taken) - len(done) < 4
            taken.append(number)
            yield number

    bounded_map(ignore, items(), at_once=four, on_done=done.append)
    assert len(done) == 99


def test_number_of_threads_follows_what_is_allowed():
    """It rises to 6 and falls to 2 while the work goes on."""
    allowed, working, seen = deque([6]), [], []

    def work(item):
        working.append(item)
        time.sleep(0.002)
        seen.append((item, len(working)))
        working.remove(item)
        if item == 100:
            allowed[0] = 2

    bounded_map(work, range(1, 201), at_once=lambda: allowed[0], on_done=ignore)
    assert len(seen) == 200
    assert max(count for _, count in seen) == 6
    assert max(count for item, count in seen if item > 120) <= 2


def test_first_error_ends_it():
    begun = []

    def work(item):
        begun.append(item)
        if item == 3:
            raise ValueError("three")

    with pytest.raises(ValueError, match="three"):
        bounded_map(work, range(1, 10_000), at_once=four, on_done=ignore)
    assert len(begun) < 9_999


def test_error_is_raised_when_work_in_progress_has_ended():
    started, ended = threading.Event(), []

    def work(item):
        if item == "fails":
            assert started.wait(5)
            raise ValueError(item)
        started.set()
        time.sleep(0.05)
        ended.append(item)

    with pytest.raises(ValueError, match="fails"):
        bounded_map(work, ["fails", "ends"], at_once=four, on_done=ignore)
    assert ended == ["ends"]


def test_error_of_the_items_themselves_is_raised():
    def items():
        yield 1
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        bounded_map(ignore, items(), at_once=four, on_done=ignore)


def test_interrupt_ends_it():
    begun = []

    def work(item):
        begun.append(item)
        if item == 10:
            os.kill(os.getpid(), signal.SIGINT)  # as Ctrl-C does
        time.sleep(0.001)

    with pytest.raises(KeyboardInterrupt):
        bounded_map(work, range(1, 100_000), at_once=four, on_done=ignore)
    assert len(begun) < 1_000
