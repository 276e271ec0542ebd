"""Retention as background work."""

import logging
import time
from typing import Any

from django.conf import settings

from deployments.retention.plan import plan_prune
from deployments.retention.prune import Pruning, prune
from edge.backends import get_backend

ACTOR = "schedule"
# A task is stopped after 60 seconds (Q_CLUSTER); what is left is done by the next run.
SECONDS = 40
log = logging.getLogger(__name__)


def prune_daily() -> dict[str, Any] | None:
    """Mark and remove what nothing needs, where PRUNE_SCHEDULED says so; give what was done.

    Raises Refused, PartlyChanged, so the task fails and is shown as failed.
    """
    if not settings.PRUNE_SCHEDULED:
        return None
    backend = get_backend()
    run = Pruning(backend, ACTOR, log.info, ends=time.monotonic() + SECONDS)
    plan = plan_prune(backend)
    done = prune(run, plan)
    return {"marked": len(plan.marks), "removed": len(done.swept), "left": done.left}
