"""What a crew can tap, and when: the page and its script take this table, never a copy."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from dispatch.models import Job
from dispatch.statuses import Status
from dispatch.visits import is_delivery


class Act(TextChoices):
    """What a tap says."""

    ON_THE_WAY = "on_the_way", _("On my way")
    ARRIVED = "arrived", _("Arrived")
    LOADING = "loading", _("Loading")
    DONE = "done", _("Done")
    DELIVERED = "delivered", _("Dumpster delivered")
    LATE = "late", _("Running late")
    FAILED = "failed", _("Could not do it")
    PRICE = "price", _("Change the price")
    PHOTO = "photo", _("Photo")


class State(TextChoices):
    """Where a job of the run is, as its crew sees it."""

    UNCONFIRMED = "unconfirmed", _("Not confirmed yet")
    ON_HOLD = "on_hold", _("On hold")
    WAITING = "waiting", _("To do")
    DELIVERY = "delivery", _("To be delivered")
    ON_THE_WAY = "on_the_way", _("On the way")
    ARRIVED = "arrived", _("Arrived")
    LOADING = "loading", _("Loading")
    DONE = "done", _("Done")
    DELIVERED = "delivered", _("Delivered")
    FAILED = "failed", _("Could not do it")
    CANCELLED = "cancelled", _("Cancelled")


# The first one is the next step.
OFFERED: dict[State, tuple[Act, ...]] = {
    State.WAITING: (Act.ON_THE_WAY, Act.LATE, Act.PRICE),
    State.DELIVERY: (Act.DELIVERED, Act.LATE, Act.FAILED, Act.PRICE),
    State.ON_THE_WAY: (Act.ARRIVED, Act.LOADING, Act.LATE, Act.FAILED, Act.PRICE),
    State.ARRIVED: (Act.LOADING, Act.FAILED, Act.PRICE),
    State.LOADING: (Act.DONE, Act.FAILED, Act.PRICE),
}
# How a page shows a job before the office has heard of the tap.
LEADS_TO: dict[Act, State] = {
    Act.ON_THE_WAY: State.ON_THE_WAY,
    Act.ARRIVED: State.ARRIVED,
    Act.LOADING: State.LOADING,
    Act.DONE: State.DONE,
    Act.DELIVERED: State.DELIVERED,
    Act.FAILED: State.FAILED,
}
CLOSED = (State.DONE, State.DELIVERED, State.CANCELLED)
STATUSES = {
    Status.REQUESTED: State.UNCONFIRMED,
    Status.IN_PROGRESS: State.LOADING,
    Status.COMPLETED: State.DONE,
    Status.CANCELLED: State.CANCELLED,
}
# What each tap moves the job to.
MOVES: dict[Act, Status] = {
    Act.ON_THE_WAY: Status.EN_ROUTE,
    Act.LOADING: Status.IN_PROGRESS,
    Act.DONE: Status.COMPLETED,
    Act.DELIVERED: Status.ON_SITE,
}


def state_of(job: Job) -> State:
    """Return where a job is. Reads its events."""
    status = Status(job.status)
    if status in STATUSES:
        return STATUSES[status]
    if job.on_hold:
        return State.ON_HOLD
    if status == Status.EN_ROUTE:
        return State.ON_THE_WAY if job.arrived_at is None else State.ARRIVED
    if status == Status.ON_SITE and job.window_start is None:
        return State.DELIVERED
    placed = any(event.status == Status.ON_SITE for event in job.events.all())
    return State.DELIVERY if is_delivery(job, placed=placed) else State.WAITING


def fits(act: Act, state: State) -> bool:
    """Whether the page's own rules allow a tap; dispatch decides the rest.

    A dumpster is delivered before it is fetched, and only a job that is confirmed can begin.
    """
    if act == Act.DELIVERED:
        return state == State.DELIVERY
    if state == State.DELIVERY:
        return act not in MOVES
    return state != State.UNCONFIRMED or act == Act.PHOTO
