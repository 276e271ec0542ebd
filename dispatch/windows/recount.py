"""Comparing what windows say is taken with what jobs hold."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import F, OuterRef, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from dispatch.models import Job, ServiceWindow
from dispatch.windows.capacity import correct

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Drift:
    """A window whose count is wrong: `taken` is what it says, `held` what its jobs hold."""

    window: ServiceWindow
    taken: int
    held: int


def drift(now: datetime) -> list[Drift]:
    """Return the windows not over whose count is wrong. One query, so one state of the rows."""
    return _drift(ServiceWindow.objects.filter(end__gt=now))


def report_drift() -> int:
    """Log every window, past or not, whose count is wrong; return how many there are."""
    found = _drift(ServiceWindow.objects.all())
    for one in found:
        logger.error(
            "Window %s says %d units are taken, but jobs hold %d.", one.window, one.taken, one.held
        )
    return len(found)


@transaction.atomic
def repair(pks: Iterable[int]) -> int:
    """Set what is taken to what jobs hold; return how many windows were wrong."""
    windows = ServiceWindow.objects.filter(pk__in=list(pks)).order_by("pk")
    # Locked before counting: a change that is under way ends first, or waits and then adds to this.
    locked = list(windows.select_for_update(no_key=True).values_list("pk", flat=True))
    found = _drift(ServiceWindow.objects.filter(pk__in=locked))
    for one in found:
        correct(one.window.pk, one.held)
    return len(found)


def _drift(windows: QuerySet[ServiceWindow]) -> list[Drift]:
    jobs = Job.objects.filter(window=OuterRef("pk")).order_by().values("window")
    held = Coalesce(Subquery(jobs.annotate(sum=Sum("window_units")).values("sum")), 0)
    wrong = windows.annotate(held=held).exclude(taken=F("held"))
    return [Drift(window=one, taken=one.taken, held=one.held) for one in wrong]
