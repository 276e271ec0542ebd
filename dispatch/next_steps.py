"""Which steps forward the board and the job page offer, and which of them a page highlights."""

from dataclasses import dataclass
from datetime import datetime
from functools import cache

from dispatch import guards
from dispatch.models import Job
from dispatch.statuses import ServiceKind, Status, is_forward, next_statuses
from dispatch.stepping import steps_between, steps_to

# The status to which a page offers to go in one tap, past those between.
FAR = Status.EN_ROUTE
# From these a crew sets off next, even if the flow has steps between.
SETTING_OFF = (Status.SCHEDULED, Status.READY_FOR_PICKUP)


@cache
def offered_steps(here: Status, kind: ServiceKind, *, placed: bool) -> tuple[Status, ...]:
    """Return the statuses ahead, the most likely first; a request is only scheduled.

    `placed`: whether the job's dumpster has been on site.
    """
    if here == Status.REQUESTED:
        return tuple(one for one in next_statuses(here, kind) if is_forward(here, one))
    if kind == ServiceKind.DUMPSTER and here == Status.SCHEDULED and not placed:
        return (Status.ON_SITE,)
    ahead = [one for one in Status if is_forward(here, one)]
    offered = [one for one in ahead if steps_between(here, one, kind=kind, placed=placed)]
    if kind == ServiceKind.DUMPSTER and here == Status.SCHEDULED:
        offered.remove(Status.ON_SITE)  # the next visit is the pickup
    if here in SETTING_OFF and FAR in offered:
        offered.sort(key=lambda one: one != FAR)
    return tuple(offered)


@dataclass(frozen=True, slots=True)
class NextSteps:
    """The statuses to offer: `highlighted` (if any), then the others forward, then those back."""

    highlighted: Status | None
    forward: tuple[Status, ...]
    back: tuple[Status, ...]


def next_steps(job: Job, now: datetime) -> NextSteps:
    """Return what the job's page offers: the next steps, and the way to FAR in one tap.

    That is highlighted where the job lacks nothing for it. Reads the job's prices and events.
    """
    here = Status(job.status)
    steps: list[Status] = [one for one in job.next_statuses if one != Status.CANCELLED]
    ahead: list[Status] = [step for step in steps if is_forward(here, step)]
    offered = offered_steps(here, job.kind, placed=job.was_placed)
    highlighted: Status | None = ahead[0] if ahead else None
    if FAR in offered and FAR not in ahead:
        ahead.append(FAR)
        way = steps_to(job, FAR)
        if not any(guards.missing(job=job, to=step, now=now) for step in way):
            highlighted = FAR
    return NextSteps(
        highlighted=highlighted,
        forward=tuple(step for step in ahead if step != highlighted),
        back=tuple(step for step in steps if not is_forward(here, step)),
    )
