"""The delay of tracking pages as a metric, from the checks that were made."""

from collections.abc import Iterator
from statistics import fmean

from deployments.metrics import Column, Figure, Span, Subject
from deployments.models import Environment
from tracking.models import TrackingCheck

DELAY = Column("delay", "A change reaches the page after", "milliseconds")
FAILED = Column("failed_checks", "Checks that failed", "count")


def tracking_metrics(environment: Environment, span: Span) -> Iterator[Subject]:
    """Yield the checks of an environment: the worst delay and the failures of each period.

    Nothing if it was not checked in the span. The total of the delay is its average.
    """
    checks = TrackingCheck.objects.filter(
        environment=environment.name, at__gte=span.start, at__lt=span.end
    )
    by_slot: dict[int, list[TrackingCheck]] = {}
    for check in checks:
        slot = int((check.at - span.start).total_seconds() // span.period)
        by_slot.setdefault(slot, []).append(check)
    if by_slot:
        yield Subject(environment.name, "tracking", "checks", tuple(_figures(by_slot, span)))


def _figures(by_slot: dict[int, list[TrackingCheck]], span: Span) -> Iterator[Figure]:
    slots = [by_slot.get(slot, []) for slot in range(_count(span))]
    delays = [[one.total_ms for one in slot if one.total_ms is not None] for slot in slots]
    every = [delay for slot in delays for delay in slot]
    worst = [float(max(slot)) if slot else None for slot in delays]
    yield Figure(DELAY, worst, fmean(every) if every else None)
    failed = [float(sum(bool(one.problem) for one in slot)) if slot else None for slot in slots]
    yield Figure(FAILED, failed, sum(number or 0 for number in failed))


def _count(span: Span) -> int:
    return round((span.end - span.start).total_seconds() / span.period)
