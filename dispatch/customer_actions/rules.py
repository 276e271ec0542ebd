"""What a customer can do to a job now, and why not."""

from datetime import datetime, timedelta
from enum import StrEnum

from django.utils.translation import gettext as _

from dispatch.errors import ActionRefused
from dispatch.models import BookingSettings, Job
from dispatch.price_questions import open_question
from dispatch.statuses import OPEN, ServiceKind, Status

MOVABLE = frozenset({Status.SCHEDULED, Status.ON_SITE, Status.READY_FOR_PICKUP})
CANCELLABLE = frozenset({Status.REQUESTED, Status.SCHEDULED, Status.READY_FOR_PICKUP})


class Action(StrEnum):
    """What a customer can do, in the order in which a page offers it."""

    PRICE = "price"
    PICKUP = "pickup"
    MOVE = "move"
    PHOTOS = "photos"
    GATE = "gate"
    CANCEL = "cancel"


class CutOffPassed(ActionRefused):
    """The window is too near to move or cancel."""

    code = "cut-off-passed"


def possible_actions(job: Job, now: datetime) -> list[Action]:
    """Return what a customer can do now."""
    return [action for action in Action if _refusal(action, job, now) is None]


def refusal_of(action: Action, job: Job, now: datetime) -> ActionRefused | None:
    """Return why the action is refused, with what would help instead; None if it is allowed."""
    refused = _refusal(action, job, now)
    if refused is not None:
        related = (Action.MOVE, Action.PICKUP)
        refused.instead = tuple(one for one in related if _refusal(one, job, now) is None)
    return refused


def _refusal(action: Action, job: Job, now: datetime) -> ActionRefused | None:
    if job.status not in OPEN:
        return ActionRefused(_("This job has ended."), _("Book a new job, or call us."))
    match action:
        case Action.MOVE:
            return _no_move(job, now)
        case Action.CANCEL:
            return _no_cancelling(job, now)
        case Action.PICKUP:
            return _no_pickup(job)
        case Action.PRICE:
            return _no_question(job)
    return None


def _no_move(job: Job, now: datetime) -> ActionRefused | None:
    if job.on_hold:
        return _paused()
    if job.status not in (*MOVABLE, Status.REQUESTED):
        return _under_way()
    if job.window_start is None or job.status == Status.REQUESTED:
        return ActionRefused(
            _("This job has no confirmed time yet, so there is nothing to move."),
            _("We get in touch about a time. To ask for a certain one, call us."),
        )
    return _too_late(job, now)


def _no_cancelling(job: Job, now: datetime) -> ActionRefused | None:
    if job.kind == ServiceKind.DUMPSTER and job.was_placed:
        return ActionRefused(
            _("The dumpster is at your place, so this job cannot be cancelled here."),
            _("We can pick it up, full or not."),
        )
    if job.status not in CANCELLABLE:
        return _under_way()
    # The window of a job on hold is not kept anyway, and that of a request is not promised.
    return None if job.on_hold or job.status == Status.REQUESTED else _too_late(job, now)


def _no_pickup(job: Job) -> ActionRefused | None:
    if job.kind == ServiceKind.DUMPSTER and job.status == Status.ON_SITE:
        return None
    return ActionRefused(
        _("This is for a dumpster that is at your place and has no pickup yet."),
        _("To change anything else, call us."),
    )


def _no_question(job: Job) -> ActionRefused | None:
    if open_question(job) is not None:
        return None
    return ActionRefused(
        _("There is no open question about your price."), _("To talk about it, call us.")
    )


def _too_late(job: Job, now: datetime) -> ActionRefused | None:
    hours = BookingSettings.load().cutoff_hours
    if job.window_start is None or now <= job.window_start - timedelta(hours=hours):
        return None
    return CutOffPassed(
        _("Online, a job can be moved or cancelled until %(hours)s hours before its time.")
        % {"hours": hours},
        _("That moment has passed, so call us: we do what we can."),
    )


def _paused() -> ActionRefused:
    return ActionRefused(
        _("We have paused this job, so it has no time that could be moved."),
        _("We get in touch about a new time."),
    )


def _under_way() -> ActionRefused:
    return ActionRefused(
        _("The crew is on the way or has begun, so this cannot be changed online."),
        _("Call us: we reach the crew."),
    )
