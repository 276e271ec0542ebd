"""Prices that changed after a job was confirmed, and what its customer answered."""

from dataclasses import dataclass

from django.db.models import Exists, OuterRef, QuerySet, Subquery, TextChoices

from dispatch.models import Job, JobEvent, JobQuerySet, Price
from dispatch.statuses import OPEN, Status

# What the event of an answer has it under.
PRICE_ANSWER = "price_answer"


class Answer(TextChoices):
    """What a customer says to a new price."""

    YES = "yes", "Yes"
    NO = "no", "No"
    CALL = "call", "Call me"


@dataclass(frozen=True, slots=True)
class PriceQuestion:
    """A price that awaits an answer, and the one before, which was agreed on."""

    before: Price
    price: Price


def open_question(job: Job) -> Price | None:
    """Return the new price that awaits the customer's answer, or None."""
    question = question_of(job)
    return question.price if question else None


def question_of(job: Job) -> PriceQuestion | None:
    """Return the question about a price, or None. Reads the job's events and prices.

    One is asked when a price is replaced after the job was confirmed. Several changes without an
    answer are one question, and none if they lead back to the agreed price.
    """
    if job.status not in OPEN:
        return None
    asked: list[JobEvent] = []
    for event in sorted(job.events.all(), key=lambda event: event.pk):
        if PRICE_ANSWER in event.changes:
            asked = []
        elif _asks(event):
            asked.append(event)
    prices = sorted(job.prices.all(), key=lambda price: price.pk)[-1 - len(asked) :]
    if not asked or len(prices) <= len(asked):
        return None
    before, price = prices[0], prices[-1]
    return None if _is_same(before, price) else PriceQuestion(before, price)


def price_not_agreed(jobs: JobQuerySet) -> JobQuerySet:
    """Return the open jobs whose changed price the customer has not accepted.

    These have not answered, said no, or want a call.
    """
    later = _answers().filter(pk__gt=OuterRef("price_changed"), changes__price_answer__1=Answer.YES)
    changed = _questions().order_by("-pk").values("pk")[:1]
    open_jobs = jobs.open().annotate(price_changed=Subquery(changed))
    return open_jobs.filter(price_changed__isnull=False).exclude(Exists(later))


def pickup_asked(jobs: JobQuerySet) -> JobQuerySet:
    """Return the jobs whose customer asked for a pickup that is not planned yet."""
    asked = JobEvent.objects.filter(job=OuterRef("pk"), changes__has_key="pickup")
    return jobs.open().filter(Exists(asked), status=Status.ON_SITE)


def _is_same(one: Price, other: Price) -> bool:
    return (one.kind, one.cents, one.upper_cents) == (other.kind, other.cents, other.upper_cents)


def _asks(event: JobEvent) -> bool:
    """Whether the event replaced a price of a confirmed job."""
    replaced = event.kind == JobEvent.Kind.PRICE and event.changes["price"][0]
    return bool(replaced) and event.status != Status.REQUESTED


def _questions() -> QuerySet[JobEvent]:
    events = JobEvent.objects.filter(job=OuterRef("pk"), kind=JobEvent.Kind.PRICE)
    return events.exclude(status=Status.REQUESTED).exclude(changes__price__0="")


def _answers() -> QuerySet[JobEvent]:
    return JobEvent.objects.filter(job=OuterRef("pk"), changes__has_key=PRICE_ANSWER)
