"""Many small things at once: bounded, told one at a time, ended by the first error."""

import threading

import pytest

from edge.backends.bounded_map import bounded_map


def test_every_item_is_worked_on_and_told_one_at_a_time():
    told, inside = [], threading.Lock()

    def tell(item):
        assert inside.acquire(blocking=False)
        told.append(item)
        inside.release()

    bounded_map(lambda item: None, range(1, 500), at_once=8, on_done=tell)
    assert sorted(told) == list(range(1, 500))


def test_items_are_taken_when_a_thread_is_free():
    taken, done = [], []

    def items():
        for number in range(1, 100):
            assert len(taken) - len(done) < 4
            taken.append(number)
            yield number

    bounded_map(lambda item: None, items(), at_once=4, on_done=done.append)
    assert len(done) == 99


def test_first_error_ends_it():
    begun = []

    def work(item):
        begun.append(item)
        if item == 3:
            raise ValueError("three")

    with pytest.raises(ValueError, match="three"):
        bounded_map(work, range(1, 10_000), at_once=2, on_done=lambda item: None)
    assert len(begun) < 9_999


def test_error_of_the_items_themselves_is_raised():
    def items():
        yield 1
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        bounded_map(lambda item: None, items(), at_once=4, on_done=lambda item: None)
