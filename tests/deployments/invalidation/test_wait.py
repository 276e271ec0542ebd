"""Waiting until the edges have dropped what was invalidated."""

import dataclasses

import pytest

from deployments.errors import PartlyChanged
from deployments.invalidation.wait import wait_until_dropped


class Busy:
    """A distribution with paths in progress for so many questions."""

    def __init__(self, questions):
        self.questions = questions

    def in_progress(self, distribution):
        self.questions -= 1
        return ["/a", "/b"] if self.questions >= 0 else []


def wait(backend, environment, questions):
    said = []
    busy = dataclasses.replace(backend, distribution=Busy(questions))
    wait_until_dropped(busy, environment, say=said.append, sleep=lambda seconds: None)
    return said


def test_waits_until_nothing_is_in_progress(backend, staging):
    assert wait(backend, staging, 3) == ["Wait for the edges to drop 2 paths"]
    assert wait(backend, staging, 0) == []


def test_gives_up_in_the_end(backend, staging, settings):
    settings.EDGE_INVALIDATION_SECONDS = 0
    with pytest.raises(PartlyChanged) as gave_up:
        wait(backend, staging, 1)
    assert gave_up.value.code == "invalidation-slow"
