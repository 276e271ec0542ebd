"""The status table: pages, checks, queries and documents all take the flow from here."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from django.db.models import TextChoices
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from dispatch.errors import StatusUnknown


class ServiceKind(TextChoices):
    """The kind of work a service is. Dumpsters stay on site; hauls do not."""

    HAUL = "haul", "Junk removal"
    DUMPSTER = "dumpster", "Dumpster rental"


class Status(TextChoices):
    """The statuses, in the order of the flow. Dispatchers and customers read the labels."""

    REQUESTED = "requested", _("Requested")
    SCHEDULED = "scheduled", _("Scheduled")
    ON_SITE = "on_site", _("Dumpster on site")
    READY_FOR_PICKUP = "ready_for_pickup", _("Ready for pickup")
    EN_ROUTE = "en_route", _("Crew on the way")
    IN_PROGRESS = "in_progress", _("In progress")
    COMPLETED = "completed", _("Completed")
    CANCELLED = "cancelled", _("Cancelled")


class Need(StrEnum):
    """What a job must have to get a status; dispatch.guards has the rules."""

    WINDOW = "a window"
    WINDOW_AHEAD = "a window that is not over"
    WINDOW_TODAY = "the window's day, or a reason"
    CREW = "a crew"
    PRICE = "a price"
    FINAL_PRICE = "an all-in price"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One row of the status table.

    to: the statuses a job can move to; none when this status closes the job.
    needs: what a job must have to get this status. A hold stops every step forward.
    ends_window: whether the window is over once a job gets this status; the next step needs
        another one.
    next_for_customer: what the tracking page says happens next.
    colour: the admin's label colour, as unfold names it.
    poll_seconds: how often the tracking page checks for updates; 0 is never.
    can_be_late: whether a job is late once its window has passed.
    dumpster_only: whether only dumpster rentals have this status.
    """

    to: tuple[Status, ...] = ()
    needs: tuple[Need, ...] = ()
    ends_window: bool = False
    next_for_customer: Promise
    colour: Literal["info", "primary", "success", "warning", "danger"]
    poll_seconds: int = 300
    can_be_late: bool = False
    dumpster_only: bool = False


S = Status
FLOW: dict[Status, Step] = {
    S.REQUESTED: Step(
        to=(S.SCHEDULED, S.CANCELLED),
        next_for_customer=_("We check your request and confirm a price and an arrival window."),
        colour="warning",
    ),
    S.SCHEDULED: Step(
        to=(S.ON_SITE, S.READY_FOR_PICKUP, S.CANCELLED),
        needs=(Need.WINDOW_AHEAD,),
        next_for_customer=_("Your arrival window is set. We get in touch if anything changes."),
        colour="info",
        can_be_late=True,
    ),
    S.ON_SITE: Step(
        to=(S.READY_FOR_PICKUP, S.CANCELLED),
        ends_window=True,
        next_for_customer=_("Fill the dumpster at your pace. Tell us when it is full."),
        colour="info",
        dumpster_only=True,
    ),
    S.READY_FOR_PICKUP: Step(
        to=(S.SCHEDULED, S.EN_ROUTE, S.IN_PROGRESS, S.CANCELLED),
        needs=(Need.WINDOW, Need.PRICE),
        next_for_customer=_(
            "Everything is set for pickup. The crew heads out in your arrival window."
        ),
        colour="primary",
        can_be_late=True,
    ),
    S.EN_ROUTE: Step(
        to=(S.SCHEDULED, S.IN_PROGRESS, S.CANCELLED),
        needs=(Need.CREW, Need.WINDOW_TODAY),
        next_for_customer=_("The crew is on the way. Please keep the driveway clear."),
        colour="primary",
        poll_seconds=20,
        can_be_late=True,
    ),
    S.IN_PROGRESS: Step(
        to=(S.COMPLETED,),
        next_for_customer=_("The crew is loading. They check with you before leaving."),
        colour="primary",
        poll_seconds=20,
    ),
    S.COMPLETED: Step(
        needs=(Need.FINAL_PRICE,),
        next_for_customer=_("All done. Thank you for hauling with us."),
        colour="success",
        poll_seconds=0,
    ),
    S.CANCELLED: Step(
        next_for_customer=_("This job was cancelled. Call us to book again."),
        colour="danger",
        poll_seconds=0,
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


def is_forward(here: Status, to: Status) -> bool:
    """Whether the step leads on in the flow. Cancelling does not."""
    order = list(Status)
    return order.index(here) < order.index(to) < order.index(S.CANCELLED)


def _has(kind: ServiceKind, status: Status) -> bool:
    return kind == ServiceKind.DUMPSTER or not FLOW[status].dumpster_only
