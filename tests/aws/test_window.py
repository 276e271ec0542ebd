"""The number of requests in flight: it grows while that pays, and a SlowDown halves it."""

import pytest

from edge.backends.aws.window import FIRST, MOST, STEP, Window


class Endpoint:
    """Answers whatever is in flight within a latency, but never more a second than its rate."""

    def __init__(self, *, latency, rate):
        self.latency, self.rate, self.now = latency, rate, 0.0
        self.window = Window(lambda: self.now)

    def serve(self, rounds):
        for _ in range(rounds):
            size = self.window.size
            self.now += max(self.latency, size / self.rate)
            for _ in range(size):
                self.window.answered()
        return self.window.size


def test_window_grows_while_answers_come_faster():
    assert Endpoint(latency=0.1, rate=1e6).serve(rounds=50) == MOST


@pytest.mark.parametrize("rate", [100, 1_000])
def test_window_stays_when_the_endpoint_sustains_no_more(rate):
    assert Endpoint(latency=0.01, rate=rate).serve(rounds=50) == FIRST + STEP


def test_slow_down_halves_the_window():
    window = Window()
    window.slow_down(window.halved)
    assert window.size == FIRST // 2


def test_requests_sent_together_halve_it_once():
    window = Window()
    sent_at = window.halved
    for _ in range(FIRST):
        window.slow_down(sent_at)
    assert window.size == FIRST // 2


def test_window_keeps_room_for_one_request():
    window = Window()
    for _ in range(20):
        window.slow_down(window.halved)
    assert window.size == 1


def test_window_grows_again_after_a_slow_down():
    endpoint = Endpoint(latency=0.1, rate=1e6)
    endpoint.window.slow_down(endpoint.window.halved)
    assert endpoint.serve(rounds=50) == MOST
