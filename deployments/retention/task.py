"""Retention as background work."""

import logging
import time
from typing import Any

from django.conf import settings

from deployments.retention.prune import PruneRun, prune
from edge.backends import get_backend

ACTOR = "schedule"
# Q_CLUSTER stops a task after 60 seconds; the next run continues.
SECONDS = 40
log = logging.getLogger(__name__)


def prune_daily() -> dict[str, Any] | None:
    """Prune if PRUNE_SCHEDULED is on, and return what was done.

    Raises Refused, EdgeError, PartlyChanged, so that the task is shown as failed.
    """
    if not settings.PRUNE_SCHEDULED:
        return None
    ends = time.monotonic() + SECONDS
    done = prune(PruneRun(get_backend(), ACTOR, log.info, ends))
    return {"marked": len(done.plan.marks), "removed": len(done.swept), "left": done.left}
