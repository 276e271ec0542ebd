"""Invalidations: batches, cost, and waiting for a distribution at its limit."""

from dataclasses import replace
from datetime import timedelta

import pytest

from deployments.context import DeployContext
from deployments.errors import ChangedMeanwhile, PartlyChanged
from deployments.invalidation import send
from deployments.invalidation.send import CachePaths, batches, cost_of, invalidate
from deployments.models import DeployLock, Invalidation, Strategy
from edge.errors import BackendRefused, BackendUnavailable, InvalidationsInProgress
from edge.limits import CLOUDFRONT
from edge.pricing import CLOUDFRONT as PRICING
from tests.deployments.deploy.test_copy import files


class Slow:
    """A distribution whose invalidations are done after a number of looks at it."""

    def __init__(self, looks=2, *, refuses=0, blind=None, limits=CLOUDFRONT):
        self.looks, self.refuses, self.blind, self.limits = looks, refuses, blind, limits
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
        assert reference in self.references or self.limits.allow_invalidation(before, paths)
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
    """Return a function that has a distribution drop paths, and returns the messages."""

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
        "Waiting up to 900 s: E1 is at its limit with 3,000 paths in progress; "
        f"waiting to send {more} more paths."
        for more in ("3,000", "500")
    ]
    assert sum(Invalidation.objects.values_list("paths", flat=True)) == 6_500


def test_wildcards_have_their_own_limit(drop):
    slow = Slow()
    drop(slow, names(10, "/*"))
    drop(slow, names(6, "/*"), step="next")
    assert slow.events == [("asked", 10), ("look", 10), ("look", 10), ("look", 0), ("asked", 6)]


def test_request_within_the_limit_does_not_wait(drop):
    slow = Slow()
    drop(slow, names(2_000))
    drop(slow, names(1_000), step="next")
    assert slow.events == [("asked", 2_000), ("asked", 1_000)]


def test_old_invalidations_are_not_checked(drop, database_clock):
    slow = Slow()
    drop(slow, names(3_000))
    slow.pending.clear()
    database_clock.shift(timedelta(hours=2))
    drop(slow, names(1), step="next")
    assert slow.events == [("asked", 3_000), ("asked", 1)]


def test_repeated_request_does_not_wait(drop):
    slow = Slow()
    drop(slow, names(3_000))
    drop(slow, names(3_000))
    assert slow.events == [("asked", 3_000), ("asked", 3_000)]


def test_refused_request_is_repeated(drop):
    """For example because requests of others are in progress."""
    slow = Slow(refuses=2)
    renewed = []
    said = drop(slow, ["/a"], keep_lock=lambda: renewed.append(1))
    assert [event for event in slow.events if event[0] != "look"] == [
        ("refused", 1),
        ("refused", 1),
        ("asked", 1),
    ]
    assert said == ["Waiting up to 900 s: Too many."]
    assert len(renewed) == 2


@pytest.mark.parametrize("error", [BackendUnavailable("reset"), BackendRefused("AccessDenied")])
def test_request_is_sent_if_those_in_progress_cannot_be_read(drop, error):
    slow = Slow(refuses=2, blind=error)
    drop(slow, ["/a"])
    assert slow.events == [("refused", 1), ("refused", 1), ("asked", 1)]


def test_batches_have_the_size_of_one_request():
    assert batches(names(7), 3) == [names(7)[:3], names(7)[3:6], names(7)[6:]]
    assert batches([], 3) == []


@pytest.mark.django_db
def test_cost_is_rounded_up_to_cents(production):
    assert cost_of(PRICING, 12) == "12 paths, $0.00 of 1,000 free (0 used this month)"
    assert cost_of(PRICING, 1_200) == "1,200 paths, $1.00 of 1,000 free (0 used this month)"
    Invalidation.objects.create(
        environment=production, distribution="E1", reference="r", paths=1_200, actor="olga"
    )
    assert cost_of(PRICING, 1) == "1 path, $0.01 of 1,000 free (1,200 used this month)"


# In a deployment by copy


@pytest.fixture
def copied(production, settings, operator):
    """Deploy by copy, and return a release that changes two files."""
    production.strategy = Strategy.COPY
    production.save()
    # Two of three are unchanged, so that they do not fold.
    site = files() | {f"blog/{n // 60}/{n}.html": f"A{n}" for n in range(120)}
    operator.promote(operator.release_of(site))
    changed = {name: "B" for n, name in enumerate(sorted(site)) if n % 60 == 20}
    return operator.release_of(site | changed)


@pytest.fixture
def slow(operator, replaced):
    """Replace the distributions by one that accepts one path at a time."""
    limits = replace(CLOUDFRONT, invalidation_paths=1)
    slow = Slow(limits=limits)
    operator.backend = replaced(distribution=slow, limits=limits)
    return slow


def test_deployment_waits_and_says_so(operator, copied, slow):
    assert operator.promote(copied).invalidated == 2
    assert [event[0] for event in slow.events] == ["asked", "look", "look", "look", "asked"]
    assert any(line.startswith("Waiting up to 900 s: production is") for line in operator.said)


def test_deployment_that_waited_too_long_can_be_repeated(operator, copied, slow, settings):
    settings.EDGE_INVALIDATION_SECONDS = 0
    with pytest.raises(PartlyChanged) as failed:
        operator.promote(copied)
    assert "1 path in progress; waiting to send 1 more path" in failed.value.message
    assert failed.value.hint == f"Run: manage.py promote --release {copied} --to production --yes"
    assert not DeployLock.objects.exists()
    slow.pending.clear()
    operator.promote(copied)
    assert [event[0] for event in slow.events] == ["asked", "look", "asked", "look", "asked"]
    assert sum(Invalidation.objects.values_list("paths", flat=True)) == 2


def test_deployment_that_loses_its_lock_while_waiting_stops(operator, copied, slow):
    class Listener(list):
        def append(self, line):
            if line.startswith("Waiting"):
                DeployLock.objects.all().delete()

    operator.said = Listener()
    with pytest.raises(ChangedMeanwhile) as stopped:
        operator.promote(copied)
    assert stopped.value.code == "lock-lost"
