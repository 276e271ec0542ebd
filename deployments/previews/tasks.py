"""Ending old previews as background work."""

import logging

from deployments.context import Caller
from deployments.previews.remove import expire_previews
from edge.backends import get_backend

log = logging.getLogger(__name__)


def expire_daily() -> list[str]:
    """Remove previews that are old or too many; return their branches.

    Raises Refused, ChangedMeanwhile, PartlyChanged, so that the task is shown as failed.
    """
    return expire_previews(get_backend(), Caller(actor="schedule", say=log.info))
