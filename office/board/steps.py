"""The steps that a card offers: forward, perhaps several at once, and one back."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from dispatch.models import Job, JobEvent
from dispatch.models.history import STEP_BACK
from dispatch.next_steps import offered_steps
from dispatch.statuses import Status
from dispatch.stepping import STEP_BACK_FOR

# What a dispatcher does, where the status is what then is.
VERBS = {
    Status.SCHEDULED: "Schedule",
    Status.ON_SITE: "Dumpster placed",
    Status.READY_FOR_PICKUP: "Ready for pickup",
    Status.EN_ROUTE: "On the way",
    Status.IN_PROGRESS: "Start work",
    Status.COMPLETED: "Complete",
}


def next_steps(job: Job, *, placed: bool) -> list[dict[str, str]]:
    """Return the statuses that are offered, the most likely first.

    `placed`: whether the job's dumpster has been at the customer's.
    """
    offered = offered_steps(Status(job.status), job.kind, placed=placed)
    return [{"to": one.value, "label": VERBS.get(one, str(one.label))} for one in offered]


def may_cancel(job: Job) -> bool:
    """Whether the flow lets the job be cancelled."""
    return Status.CANCELLED in job.next_statuses


def steps_back(jobs: Iterable[Job], now: datetime) -> dict[int, dict[str, str]]:
    """Return the status before its last step of each job that dispatch.stepping would step back."""
    statuses = {job.pk: job.status for job in jobs}
    moves = JobEvent.objects.filter(
        job__in=list(statuses), at__gt=now - STEP_BACK_FOR, changes__has_key="status"
    )
    last: Mapping[int, JobEvent] = {event.job_id: event for event in moves.order_by("pk")}
    return {
        pk: _described(Status(event.changes["status"][0]))
        for pk, event in last.items()
        if STEP_BACK not in event.changes and event.status == statuses[pk]
    }


def _described(status: Status) -> dict[str, str]:
    return {"to": status.value, "label": str(status.label)}
