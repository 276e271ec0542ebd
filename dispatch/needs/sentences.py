"""What the office reads about each need. Jobs have the annotations of their set."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from dispatch.days import interval_text
from dispatch.models import Job
from dispatch.needs.rules import SINCE, moment
from dispatch.price_questions import PRICE_ANSWER, Answer
from dispatch.visits import VISIT, Failure
from dispatch.windows.recount import drift

ANSWERS: dict[str, str] = {
    Answer.NO: "the customer declined",
    Answer.CALL: "the customer wants a call",
}


def unanswered(job: Job, now: datetime) -> str:
    return f"Requested {moment(job.created_at)}, not answered yet"


def no_crew(job: Job, now: datetime) -> str:
    return f"No crew for {_window(job)}"


def ready_and_over(job: Job, now: datetime) -> str:
    return f"Ready for pickup, but the window was {_window(job)}"


def late(job: Job, now: datetime) -> str:
    return f"Not started, and the window was {_window(job)}"


def no_price(job: Job, now: datetime) -> str:
    return f"No price for {_window(job)}"


def long_hold(job: Job, now: datetime) -> str:
    return f"On hold since {moment(getattr(job, SINCE))}: {job.hold_reason}"


def failed_visit(job: Any, now: datetime) -> str:
    why = Failure(job.visit[VISIT][1]).label
    note = f" ({job.visit_note})" if job.visit_note else ""
    return f"The visit on {moment(job.needed_since)} failed: {why}{note}"


def price_question(job: Any, now: datetime) -> str:
    before, after = job.question["price"]
    answer = job.answer[PRICE_ANSWER][1] if job.answer else ""
    said = ANSWERS.get(answer, "the customer has not answered")
    return f"Price changed from {before} to {after}: {said}"


def pickup_wanted(job: Any, now: datetime) -> str:
    wish = job.wish["pickup"][1]
    return f"Asked on {moment(job.needed_since)} for a pickup: {wish}"


def overdue(job: Job, now: datetime) -> str:
    days, agreed = job.days_out(now) or 0, job.days_of_rental
    return f"Dumpster out for {_days(days)}; {_days(agreed)} agreed"


def no_photo_after(job: Job, now: datetime) -> str:
    return f"Completed {moment(getattr(job, SINCE))} without a photo of the result"


def window_drift(now: datetime) -> Sequence[str]:
    return [
        f"{interval_text(one.window.start, one.window.end)} says {one.taken} units are taken, "
        f"but jobs hold {one.held}."
        for one in drift(now)
    ]


def _window(job: Job) -> str:
    if job.window_start is None or job.window_end is None:
        return "no window"
    return interval_text(job.window_start, job.window_end)


def _days(count: int) -> str:
    return "1 day" if count == 1 else f"{count} days"
