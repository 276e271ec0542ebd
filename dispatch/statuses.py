"""The status flow: the one table from which every page, check and document takes it."""

from dataclasses import dataclass

from django.db.models import TextChoices

from dispatch.errors import StatusUnknown


class ServiceKind(TextChoices):
    """What kind of work a service is; dumpsters stay on site, hauls do not."""

    HAUL = "haul", "Junk removal"
    DUMPSTER = "dumpster", "Dumpster rental"


class Status(TextChoices):
    """Where a job stands. The labels are what dispatchers and customers read."""

    REQUESTED = "requested", "Requested"
    SCHEDULED = "scheduled", "Scheduled"
    ON_SITE = "on_site", "Dumpster on site"
    READY_FOR_PICKUP = "ready_for_pickup", "Ready for pickup"
    EN_ROUTE = "en_route", "Crew on the way"
    IN_PROGRESS = "in_progress", "In progress"
    COMPLETED = "completed", "Completed"
    CANCELLED = "cancelled", "Cancelled"


@dataclass(frozen=True, slots=True)
class Step:
    """One row of the flow: where a job may go from here, and what the customer is told."""

    to: frozenset[Status]
    next_for_customer: str


def _step(next_for_customer: str, *to: Status) -> Step:
    return Step(frozenset(to), next_for_customer)


S = Status
FLOW: dict[Status, Step] = {
    S.REQUESTED: _step(
        "We check your request and confirm a price and an arrival window.",
        S.SCHEDULED,
        S.CANCELLED,
    ),
    S.SCHEDULED: _step(
        "Your arrival window is set. We get in touch if anything changes.",
        S.ON_SITE,
        S.READY_FOR_PICKUP,
        S.CANCELLED,
    ),
    S.ON_SITE: _step(
        "Fill the dumpster at your pace. Call us when it is full.",
        S.READY_FOR_PICKUP,
        S.CANCELLED,
    ),
    S.READY_FOR_PICKUP: _step(
        "Everything is set for pickup. The crew heads out in your arrival window.",
        S.EN_ROUTE,
        S.IN_PROGRESS,
        S.SCHEDULED,
        S.CANCELLED,
    ),
    S.EN_ROUTE: _step(
        "The crew is on the way. Please keep the driveway clear.",
        S.IN_PROGRESS,
        S.SCHEDULED,
        S.CANCELLED,
    ),
    S.IN_PROGRESS: _step("The crew is loading. They check with you before leaving.", S.COMPLETED),
    S.COMPLETED: _step("All done. Thank you for hauling with us."),
    S.CANCELLED: _step("This job was cancelled. Call us to book again."),
}

# Left out of the flow of services that are not dumpsters.
DUMPSTER_ONLY = frozenset({S.ON_SITE})
# Work is still to be done: there is a step after this one.
OPEN = tuple(status for status, step in FLOW.items() if step.to)
# A window was promised for what comes next, and the crew is not at work yet.
NOT_STARTED = frozenset({S.SCHEDULED, S.READY_FOR_PICKUP, S.EN_ROUTE})


def parse_status(code: str) -> Status:
    """Turn what somebody typed into a status. Raises StatusUnknown."""
    try:
        return Status(code)
    except ValueError:
        raise StatusUnknown(
            f"No status is called '{code}'.", f"Use one of: {', '.join(Status.values)}."
        ) from None


def next_statuses(status: Status, kind: ServiceKind) -> list[Status]:
    """List where a job of this kind may go from `status`, in the order of the flow."""
    allowed = FLOW[status].to
    return [
        step
        for step in Status
        if step in allowed and (kind == ServiceKind.DUMPSTER or step not in DUMPSTER_ONLY)
    ]


def flow_for(kind: ServiceKind) -> list[Status]:
    """List the steps a customer sees for this kind of service, cancellation left out."""
    return [
        status
        for status in Status
        if status != S.CANCELLED and (kind == ServiceKind.DUMPSTER or status not in DUMPSTER_ONLY)
    ]
