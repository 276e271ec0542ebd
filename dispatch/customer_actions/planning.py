"""Moving a job, cancelling it, and having a dumpster picked up."""

from datetime import datetime
from typing import Any

from django.db.models import TextChoices
from django.utils import translation
from django.utils.translation import gettext_lazy as _

from dispatch import guards
from dispatch.changing import change_job, move_job
from dispatch.customer_actions.acting import ACTOR, Sent, act
from dispatch.customer_actions.rules import Action
from dispatch.customer_actions.windows import chosen_window
from dispatch.days import interval_text
from dispatch.models import Job, JobEvent, ServiceWindow
from dispatch.statuses import Status

MAX_REASON = JobEvent._meta.get_field("reason").max_length or 0
MAX_WORDS = 200
# The language of what the office reads.
OFFICE = "en"
AS_SOON_AS_POSSIBLE = "as soon as possible"


class CancelReason(TextChoices):
    """Why customers cancel."""

    NOT_NEEDED = "not_needed", _("I no longer need it")
    TIME = "time", _("The time does not work for me")
    PRICE = "price", _("The price is too high")
    ELSEWHERE = "elsewhere", _("I found another way")
    OTHER = "other", _("Another reason")


def move_window(*, job: Job, window: int, sent: Sent) -> JobEvent:
    """Move a job to a free window, by its key. Raises what `act` raises."""

    def write(job: Job, now: datetime) -> None:
        chosen = chosen_window(job, window, now)
        change_job(
            job=job,
            kind=JobEvent.Kind.DETAILS,
            changes=_times(chosen),
            actor=ACTOR,
            key=sent.key,
            by_customer=True,
        )

    return act(job=job, action=Action.MOVE, sent=sent, write=write)


def cancel(*, job: Job, reason: CancelReason, words: str, sent: Sent) -> JobEvent:
    """Cancel a job for a reason, and what the customer adds. Raises what `act` raises."""
    with translation.override(OFFICE):
        text = f"{reason.label}: {words}" if words else str(reason.label)

    def write(job: Job, now: datetime) -> None:
        move_job(
            job=job,
            to=Status.CANCELLED,
            actor=ACTOR,
            reason=text[:MAX_REASON],
            side=Job.CancelSide.CUSTOMER,
            key=sent.key,
        )

    return act(job=job, action=Action.CANCEL, sent=sent, write=write)


def ask_pickup(*, job: Job, window: int | None, sent: Sent) -> JobEvent:
    """Have a dumpster picked up in a free window, or ask for a call with None.

    If the job lacks anything else for it, such as a price, the wish is recorded for the office and
    nothing is promised. Raises what `act` raises.
    """

    def write(job: Job, now: datetime) -> None:
        chosen = None if window is None else chosen_window(job, window, now)
        if chosen is None or _lacks(job, now):
            _note_wish(job, chosen, sent)
        else:
            change_job(
                job=job,
                kind=JobEvent.Kind.STATUS,
                changes={"status": Status.READY_FOR_PICKUP, **_times(chosen)},
                actor=ACTOR,
                key=sent.key,
                by_customer=True,
            )

    return act(job=job, action=Action.PICKUP, sent=sent, write=write)


def _note_wish(job: Job, window: ServiceWindow | None, sent: Sent) -> None:
    with translation.override(OFFICE):
        wished = interval_text(window.start, window.end) if window else AS_SOON_AS_POSSIBLE
    change_job(
        job=job,
        kind=JobEvent.Kind.ANSWER,
        changes={},
        noted={"pickup": ["", wished]},
        actor=ACTOR,
        key=sent.key,
    )


def _lacks(job: Job, now: datetime) -> bool:
    """Whether the job lacks anything but the window for its pickup."""
    missing = guards.missing(job=job, to=Status.READY_FOR_PICKUP, now=now)
    return any(one.field != "window_start" for one in missing)


def _times(window: ServiceWindow) -> dict[str, Any]:
    return {"window_start": window.start, "window_end": window.end}
