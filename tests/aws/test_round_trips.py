"""How often a command waits for an answer before it can send the next request.

Over a network of 30 ms, every one of them is 30 ms of an operator's time.
"""

import pytest

from tests.aws.test_bulk import new_object, put_all


def test_objects_written_together_wait_together(through_proxy, proxy):
    proxy.latency = 0.2
    put_all(through_proxy, *(new_object(f"a{n}") for n in range(128)))
    assert len(proxy.seen) == 128
    assert proxy.round_trips < 10


@pytest.mark.django_db
def test_push_that_changes_nothing_waits_for_few_answers(shop, proxy):
    shop.push("A")
    proxy.latency = 0.03
    proxy.clear()
    shop.push("A")
    assert proxy.round_trips == len(proxy.seen) <= 19
