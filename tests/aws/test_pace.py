"""Requests that botocore does not send keep the pace its adaptive mode would."""

import pytest
from botocore.retries import bucket

from edge.backends.aws.pace import Pace
from tests.aws import proxy as proxies
from tests.aws.proxy import Fault
from tests.aws.test_writing import new_object, put_all


@pytest.fixture
def waits(monkeypatch):
    """Count the requests that had to ask for leave, without making them wait."""
    asked = []
    monkeypatch.setattr(bucket.TokenBucket, "acquire", lambda self: asked.append(self.max_rate))
    return asked


@pytest.mark.parametrize("code", ["", "AccessDenied", "InternalError"])
def test_nobody_waits_where_nothing_is_throttled(waits, code):
    pace = Pace()
    pace.learn(code)
    pace.wait()
    assert waits == []


def test_throttling_slows_down_whoever_comes_next(waits):
    pace = Pace()
    pace.learn("SlowDown")
    pace.wait()
    assert len(waits) == 1


def test_pace_slackens_when_s3_throttles(through_proxy, proxy, waits):
    proxy.clear(Fault(1, proxies.answering(503, "SlowDown")))
    assert put_all(through_proxy, new_object("a")) == ["a"]
    assert len(waits) == 1  # the second attempt
