"""What became of a form: read from the event that it caused."""

from enum import StrEnum

from dispatch.models import JobEvent
from dispatch.price_questions import PRICE_ANSWER, Answer
from dispatch.statuses import Status


class Result(StrEnum):
    """What a customer did."""

    MOVED = "moved"
    CANCELLED = "cancelled"
    PICKUP = "pickup"
    PICKUP_ASKED = "pickup-asked"
    PRICE_ACCEPTED = "price-accepted"
    PRICE_REFUSED = "price-refused"
    CALL_ASKED = "call-asked"
    ADDED = "added"
    CODE_GIVEN = "code-given"


ANSWERED = {
    Answer.YES: Result.PRICE_ACCEPTED,
    Answer.NO: Result.PRICE_REFUSED,
    Answer.CALL: Result.CALL_ASKED,
}


def result_of(event: JobEvent) -> Result:
    """Return what a customer's event did."""
    if event.kind == JobEvent.Kind.STATUS:
        cancelled = event.status == Status.CANCELLED
        return Result.CANCELLED if cancelled else Result.PICKUP
    if event.kind == JobEvent.Kind.DETAILS:
        return Result.MOVED
    if PRICE_ANSWER in event.changes:
        return ANSWERED[Answer(event.changes[PRICE_ANSWER][1])]
    if "pickup" in event.changes:
        return Result.PICKUP_ASKED
    return Result.CODE_GIVEN if "access_notes" in event.changes else Result.ADDED
