"""The status table: pages, checks, queries and documents all take the flow from here."""

from dataclasses import dataclass
from enum import Enum
from typing import Literal

from django.db.models import TextChoices

from dispatch.errors import StatusUnknown


class ServiceKind(TextChoices):
    """The kind of work a service is. Dumpsters stay on site; hauls do not."""

    HAUL = "haul", "Junk removal"
    DUMPSTER = "dumpster", "Dumpster rental"


class Status(TextChoices):
    """The statuses, in the order of the flow. Dispatchers and customers read the labels."""

    REQUESTED = "requested", "Requested"
    SCHEDULED = "scheduled", "Scheduled"
    ON_SITE = "on_site", "Dumpster on site"
    READY_FOR_PICKUP = "ready_for_pickup", "Ready for pickup"
    EN_ROUTE = "en_route", "Crew on the way"
    IN_PROGRESS = "in_progress", "In progress"
    COMPLETED = "completed", "Completed"
    CANCELLED = "cancelled", "Cancelled"


class Board(Enum):
    """When a job of some status is on today's board. A late job always is."""

    ALWAYS = "always"
    WINDOW_TODAY = "window-today"
    WINDOW_TODAY_OR_NONE = "window-today-or-none"
    NEVER = "never"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One row of the status table.

    to: the statuses a job can move to; none when this status closes the job.
    next_for_customer: what the tracking page says happens next.
    colour: the admin's label colour, as unfold names it.
    poll_seconds: how often the tracking page checks for updates; 0 is never.
    can_be_late: whether a job is late once its window has passed.
    dumpster_only: whether only dumpster rentals have this status.
    """

    to: tuple[Status, ...] = ()
    next_for_customer: str
    colour: Literal["info", "primary", "success", "warning", "danger"]
    poll_seconds: int = 300
    board: Board = Board.WINDOW_TODAY
    can_be_late: bool = False
    dumpster_only: bool = False


S = Status
FLOW: dict[Status, Step] = {
    S.REQUESTED: Step(
        to=(S.SCHEDULED, S.CANCELLED),
        next_for_customer="We check your request and confirm a price and an arrival window.",
        colour="warning",
        board=Board.ALWAYS,
    ),
    S.SCHEDULED: Step(
        to=(S.ON_SITE, S.READY_FOR_PICKUP, S.CANCELLED),
        next_for_customer="Your arrival window is set. We get in touch if anything changes.",
        colour="info",
        can_be_late=True,
    ),
    S.ON_SITE: Step(
        to=(S.READY_FOR_PICKUP, S.CANCELLED),
        next_for_customer="Fill the dumpster at your pace. Call us when it is full.",
        colour="info",
        dumpster_only=True,
    ),
    S.READY_FOR_PICKUP: Step(
        to=(S.SCHEDULED, S.EN_ROUTE, S.IN_PROGRESS, S.CANCELLED),
        next_for_customer=(
            "Everything is set for pickup. The crew heads out in your arrival window."
        ),
        colour="primary",
        board=Board.WINDOW_TODAY_OR_NONE,
        can_be_late=True,
    ),
    S.EN_ROUTE: Step(
        to=(S.SCHEDULED, S.IN_PROGRESS, S.CANCELLED),
        next_for_customer="The crew is on the way. Please keep the driveway clear.",
        colour="primary",
        poll_seconds=20,
        board=Board.ALWAYS,
        can_be_late=True,
    ),
    S.IN_PROGRESS: Step(
        to=(S.COMPLETED,),
        next_for_customer="The crew is loading. They check with you before leaving.",
        colour="primary",
        poll_seconds=20,
        board=Board.ALWAYS,
    ),
    S.COMPLETED: Step(
        next_for_customer="All done. Thank you for hauling with us.",
        colour="success",
        poll_seconds=0,
    ),
    S.CANCELLED: Step(
        next_for_customer="This job was cancelled. Call us to book again.",
        colour="danger",
        poll_seconds=0,
        board=Board.NEVER,
    ),
}

# Work remains to be done: a job can still leave this status.
OPEN = tuple(status for status, step in FLOW.items() if step.to)
# A window was promised, and the crew has not started.
NOT_STARTED = frozenset(status for status, step in FLOW.items() if step.can_be_late)


def parse_status(code: str) -> Status:
    """Return the status with this code. Raises StatusUnknown."""
    try:
        return Status(code)
    except ValueError:
        raise StatusUnknown(
            f"There is no status '{code}'.", f"Use one of: {', '.join(Status.values)}."
        ) from None


def next_statuses(status: Status, kind: ServiceKind) -> list[Status]:
    """List the statuses a job of this kind can move to, in the order of the flow."""
    return [step for step in Status if step in FLOW[status].to and _has(kind, step)]


def flow_for(kind: ServiceKind) -> list[Status]:
    """List the steps a customer sees for this kind of service, without cancellation."""
    return [status for status in Status if status != S.CANCELLED and _has(kind, status)]


def _has(kind: ServiceKind, status: Status) -> bool:
    return kind == ServiceKind.DUMPSTER or not FLOW[status].dumpster_only
