"""Waiting until a distribution has room: before a request that would be too much, and after one."""

from datetime import timedelta

import pytest
from django.utils import timezone

from deployments.context import DeployContext
from deployments.errors import ChangedMeanwhile, PartlyChanged
from deployments.invalidation import send
from deployments.invalidation.send import CachePaths, invalidate
from deployments.models import DeployLock, Invalidation, Strategy
from edge.errors import BackendRefused, BackendUnavailable, InvalidationsInProgress
from edge.limits import has_room
from tests.deployments.deploy.test_copy import files


class Slow:
    """A distribution that drops what it was asked for once it was looked at some times."""

    def __init__(self, looks=2, *, refuses=0, blind=None):
        self.looks, self.refuses, self.blind = looks, refuses, blind
        self.pending, self.events, self.references = [], [], set()

    def in_progress(self, distribution):
        if self.blind:
            raise self.blind
        paths = [path for entry in self.pending for path in entry["paths"]]
        self.events.append(("look", len(paths)))
        for entry in self.pending:
            entry["looks"] -= 1
        self.pending = [entry for entry in self.pending if entry["looks"]]
        return paths

    def invalidate(self, distribution, paths, *, reference):
        if self.refuses:
            self.refuses -= 1
            self.events.append(("refused", len(paths)))
            raise InvalidationsInProgress("Too many.")
        before = [path for one in self.pending for path in one["paths"]]
        assert reference in self.references or has_room(before, paths)
        if reference not in self.references:
            self.pending.append({"paths": list(paths), "looks": self.looks})
            self.references.add(reference)
        self.events.append(("asked", len(paths)))
        return len(paths)


@pytest.fixture(autouse=True)
def no_pause(monkeypatch):
    monkeypatch.setattr(send, "PAUSE_SECONDS", 0)


@pytest.fixture
def drop(replaced, production):
    """Have a distribution drop paths; give what was said."""

    def drop(distribution, paths, *, step="step", keep_lock=lambda: None):
        said = []
        context = DeployContext(replaced(distribution=distribution), said.append, keep_lock)
        invalidate(context, CachePaths(production, {"E1": paths}), step=step, actor="olga")
        return said

    return drop


def names(count, end=""):
    return [f"/{number:04}{end}" for number in range(count)]


def test_next_batch_waits_until_the_one_before_is_done(drop):
    slow = Slow()
    said = drop(slow, names(6_500))
    assert slow.events == [
        ("asked", 3_000),
        ("look", 3_000),
        ("look", 3_000),
        ("look", 0),
        ("asked", 3_000),
        ("look", 3_000),
        ("look", 3_000),
        ("look", 0),
        ("asked", 500),
    ]
    assert said == [
        f"Wait, at most 900 s: E1 is still dropping 3,000 paths and has no room for {more} more."
        for more in ("3,000", "500")
    ]
    assert sum(Invalidation.objects.values_list("paths", flat=True)) == 6_500


def test_wildcards_have_a_limit_of_their_own(drop):
    slow = Slow()
    drop(slow, names(10, "/*"))
    drop(slow, names(6, "/*"), step="next")
    assert slow.events == [("asked", 10), ("look", 10), ("look", 10), ("look", 0), ("asked", 6)]


def test_what_fits_beside_the_others_does_not_wait(drop):
    slow = Slow()
    drop(slow, names(2_000))
    drop(slow, names(1_000), step="next")
    assert slow.events == [("asked", 2_000), ("asked", 1_000)]


def test_what_is_long_over_is_not_looked_for(drop, monkeypatch):
    slow = Slow()
    drop(slow, names(3_000))
    slow.pending.clear()
    later = timezone.now() + timedelta(hours=2)
    monkeypatch.setattr(send.timezone, "now", lambda: later)
    drop(slow, names(1), step="next")
    assert slow.events == [("asked", 3_000), ("asked", 1)]


def test_same_request_again_needs_no_room(drop):
    slow = Slow()
    drop(slow, names(3_000))
    drop(slow, names(3_000))
    assert slow.events == [("asked", 3_000), ("asked", 3_000)]


def test_request_that_is_too_much_is_made_again(drop):
    """As when somebody else's requests fill the distribution."""
    slow = Slow(refuses=2)
    renewed = []
    said = drop(slow, ["/a"], keep_lock=lambda: renewed.append(1))
    assert [event for event in slow.events if event[0] != "look"] == [
        ("refused", 1),
        ("refused", 1),
        ("asked", 1),
    ]
    assert said == ["Wait, at most 900 s: Too many."]
    assert len(renewed) == 2


@pytest.mark.parametrize("error", [BackendUnavailable("reset"), BackendRefused("AccessDenied")])
def test_room_that_cannot_be_looked_for_is_left_to_the_distribution(drop, error):
    slow = Slow(refuses=2, blind=error)
    drop(slow, ["/a"])
    assert slow.events == [("refused", 1), ("refused", 1), ("asked", 1)]


# In a deployment by copy


@pytest.fixture
def copied(production, settings, operator):
    """Deploy by copy, with more single files than a request takes; the next changes all of them."""
    production.strategy = Strategy.COPY
    production.save()
    # Two of three are unchanged, so that they do not fold.
    site = files() | {f"blog/{n // 60}/{n}.html": f"A{n}" for n in range(120)}
    operator.promote(operator.release_of(site))
    changed = {name: "B" for n, name in enumerate(sorted(site)) if n % 60 == 20}
    return operator.release_of(site | changed)


@pytest.fixture
def tight(monkeypatch):
    """Let a distribution take one path at a time."""
    monkeypatch.setattr("edge.limits.INVALIDATION_PATHS", 1)
    monkeypatch.setattr("deployments.invalidation.fold.INVALIDATION_PATHS", 1)


def test_deployment_waits_and_says_so(operator, copied, replaced, tight):
    slow = Slow()
    operator.backend = replaced(distribution=slow)
    assert operator.promote(copied).invalidated == 2
    assert [event[0] for event in slow.events] == ["asked", "look", "look", "look", "asked"]
    assert any(line.startswith("Wait, at most 900 s: production is") for line in operator.said)


def test_deployment_that_waited_too_long_can_be_gone_on_with(
    operator, copied, replaced, backend, tight, settings
):
    settings.EDGE_INVALIDATION_SECONDS = 0
    slow = Slow(looks=2)
    operator.backend = replaced(distribution=slow)
    with pytest.raises(PartlyChanged) as failed:
        operator.promote(copied)
    assert "still dropping 1 path" in failed.value.message
    assert failed.value.hint == f"Run: manage.py promote --release {copied} --to production --yes"
    assert not DeployLock.objects.exists()
    slow.pending.clear()
    operator.promote(copied)
    assert [event[0] for event in slow.events] == ["asked", "look", "asked", "look", "asked"]
    assert sum(Invalidation.objects.values_list("paths", flat=True)) == 2


def test_deployment_whose_lock_was_taken_over_while_it_waited_stops(
    operator, copied, replaced, tight
):
    class Listener(list):
        def append(self, line):
            if line.startswith("Wait"):
                DeployLock.objects.all().delete()

    operator.backend = replaced(distribution=Slow())
    operator.said = Listener()
    with pytest.raises(ChangedMeanwhile) as stopped:
        operator.promote(copied)
    assert stopped.value.code == "lock-lost"
