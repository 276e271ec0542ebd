"""What dispatchers do on the board: each act is one call into dispatch or tracking."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from dispatch.changing import change_details, move_job, set_price
from dispatch.errors import ValueRefused
from dispatch.models import Crew, Job, ServiceWindow, Snooze
from dispatch.needs.snoozing import HOURS, snooze
from dispatch.prices import parse_price
from dispatch.runs import assign, reorder
from dispatch.statuses import Status, parse_status
from dispatch.stepping import advance, step_back
from dispatch.undoing import undo
from notifications.kinds import Event
from notifications.models import Message
from office.board.asking import BadBody, Body
from tracking.errors import LinkNotActive
from tracking.link_actions import active_link
from tracking.links import resend_link

# A request that was sent twice comes again within this time.
REPEATS = timedelta(minutes=2)
LONGEST_SNOOZE = max(HOURS)


@dataclass(frozen=True, slots=True)
class Asked:
    """An act that was asked for, with the job at the revision that was seen."""

    seen: Job | None
    body: Body
    actor: str
    key: UUID
    day: date

    @property
    def job(self) -> Job:
        """The job; only a snooze may be about none."""
        if self.seen is None:
            raise BadBody("Expected a job, found nothing.", "Reload the page.")
        return self.seen


# Does the act; what it returns is said to the one who asked, unless an event says it.
Act = Callable[[Asked], str]


def _assign(asked: Asked) -> str:
    crew = _crew(asked.body)
    before = asked.body.number("before")
    assign(
        job=asked.job,
        crew=crew,
        day=asked.day,
        actor=asked.actor,
        before=before,
        key=asked.key,
    )
    return f"In the run of {crew}." if crew else "Without a crew."


def _order(asked: Asked) -> str:
    before, seen = asked.body.number("before"), asked.body.needed_number("run_revision")
    reorder(job=asked.job, day=asked.day, actor=asked.actor, seen_revision=seen, before=before)
    return f"Moved in the run of {asked.job.crew}."


@transaction.atomic
def _step(asked: Asked) -> str:
    """Enter what the body has of what the job lacked, then move it."""
    details = _window(asked.body) if asked.body.values.keys() & {"window", "start"} else {}
    if "crew" in asked.body.values:
        details["crew"] = _crew(asked.body)
    job, actor, reason = asked.job, asked.actor, asked.body.text("reason")
    change_details(job=job, changes=details, actor=actor, reason=reason)
    if price := asked.body.text("price"):
        set_price(job=job, price=parse_price(price), actor=actor, reason=reason)
    to = parse_status(asked.body.text("to"))
    advance(job=job, to=to, actor=actor, reason=reason, key=asked.key)
    return ""


def _back(asked: Asked) -> str:
    step_back(job=asked.job, actor=asked.actor, reason=asked.body.text("reason"), key=asked.key)
    return ""


def _cancel(asked: Asked) -> str:
    move_job(
        job=asked.job,
        to=Status.CANCELLED,
        actor=asked.actor,
        reason=asked.body.text("reason"),
        side=asked.body.text("side"),
        key=asked.key,
    )
    return ""


def _change_window(asked: Asked) -> str:
    return _change(asked, _window(asked.body))


def _hold(asked: Asked) -> str:
    return _change(asked, {"on_hold": True, "hold_reason": asked.body.text("reason")})


def _unhold(asked: Asked) -> str:
    return _change(asked, {"on_hold": False})


def _price(asked: Asked) -> str:
    price, reason = parse_price(asked.body.text("text")), asked.body.text("reason")
    set_price(job=asked.job, price=price, actor=asked.actor, reason=reason, key=asked.key)
    return f"Price: {price}."


def _send_link(asked: Asked) -> str:
    link = active_link(asked.job)
    if link is None:
        raise LinkNotActive("Expected an active link, found none.", "Create one on the job's page.")
    lately = Message.objects.filter(
        job=asked.job,
        event=Event.LINK_REQUESTED,
        caused_by=asked.actor,
        created_at__gt=timezone.now() - REPEATS,
    )
    if not lately.exists():
        resend_link(link=link, actor=asked.actor)
    return "The tracking link is on its way to the customer."


def _snooze(asked: Asked) -> str:
    rule, hours = asked.body.text("rule"), asked.body.needed_number("hours")
    reason, now = asked.body.text("reason"), timezone.now()
    same = Snooze.objects.filter(rule=rule, job=asked.seen, actor=asked.actor, reason=reason)
    # No event has its key; one that was sent twice ends at about the same time.
    ends = now + timedelta(hours=min(hours, LONGEST_SNOOZE))
    if not same.filter(at__gt=now - REPEATS, until__gt=ends - REPEATS).exists():
        snooze(rule=rule, job=asked.seen, hours=hours, reason=reason, actor=asked.actor)
    return f"Snoozed for {hours} hour{'' if hours == 1 else 's'}."


def _undo(asked: Asked) -> str:
    undo(
        job=asked.job,
        revision=asked.body.needed_number("revision"),
        actor=asked.actor,
        key=asked.key,
    )
    return "Undone."


ACTS: dict[str, Act] = {
    "assign": _assign,
    "order": _order,
    "step": _step,
    "back": _back,
    "cancel": _cancel,
    "window": _change_window,
    "hold": _hold,
    "unhold": _unhold,
    "price": _price,
    "snooze": _snooze,
    "send_link": _send_link,
    "undo": _undo,
}
# These change nothing of the job itself, so it may have changed since it was seen.
ANY_REVISION = frozenset({"order", "snooze", "send_link"})
# A rule may be about no job.
WITHOUT_JOB = frozenset({"snooze"})


def _change(asked: Asked, changes: dict[str, Any]) -> str:
    reason = "" if "hold_reason" in changes else asked.body.text("reason")
    change_details(job=asked.job, changes=changes, actor=asked.actor, reason=reason, key=asked.key)
    return "Nothing to change."


def _crew(body: Body) -> Crew | None:
    pk = body.number("crew")
    if pk is None:
        return None
    crew = Crew.objects.filter(pk=pk).first()
    if crew is None:
        raise ValueRefused("There is no such crew.", "Choose another crew.", field="crew")
    return crew


def _window(body: Body) -> dict[str, Any]:
    """Return the times of the window that the body names, or of those that it states."""
    pk = body.number("window")
    if pk is None:
        times: tuple[datetime, datetime] = body.moment("start"), body.moment("end")
        return dict(zip(("window_start", "window_end"), times, strict=True))
    window = ServiceWindow.objects.filter(pk=pk).first()
    if window is None:
        hint = "Choose another window."
        raise ValueRefused("There is no such window.", hint, field="window_start")
    return {"window_start": window.start, "window_end": window.end}
