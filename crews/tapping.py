"""Carrying out what a crew taps, once, however often it arrives.

Each tap is tried by itself. One that is refused is explained, and those after it are still tried:
the crew may have gone on without a signal.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from django.db import IntegrityError
from django.utils import timezone

from crews.models import CrewLink
from crews.run import jobs_of
from crews.steps import MOVES, Act, fits, state_of
from crews.taps import Tap, time_of
from crews.wording import AGAIN, NOT_ON_RUN, UNREADABLE, refusal_words, state_words
from dispatch.changing import AlreadyThere, set_price
from dispatch.errors import DispatchError, JobChangedMeanwhile
from dispatch.models import Job, JobEvent
from dispatch.photos.intake import ReadyPhoto
from dispatch.photos.storing import add_photos
from dispatch.prices import parse_price
from dispatch.statuses import OPEN, Status
from dispatch.stepping import advance
from dispatch.visits import DELAYS, Failure, fail_visit, report_arrival, report_delay

ATTEMPTS = 5
# The keywords of dispatch: actor, key and tapped_at.
By = dict[str, Any]
Do = Callable[[Job, Tap, By], object]


class Result(StrEnum):
    """What became of a tap. All are final: a phone sends none of them again."""

    DONE = "done"
    REPEATED = "repeated"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a tap, with words if it was refused."""

    key: UUID
    result: Result
    words: str = ""

    def as_json(self) -> dict[str, str]:
        return {"key": str(self.key), "result": self.result.value, "words": self.words}


class _Refused(Exception):
    """The tap does not fit the job, or the run. Says so in words for the crew."""


def carry_out(*, link: CrewLink, tap: Tap, photos: Sequence[ReadyPhoto] = ()) -> Outcome:
    """Carry out a tap on a job of the link's run; `photos` are those of a photo's tap."""
    by = {"actor": link.actor, "key": tap.key, "tapped_at": time_of(tap, link, timezone.now())}
    for _ in range(ATTEMPTS):
        # Another person may change the job between our reading it and our writing.
        with suppress(JobChangedMeanwhile):
            return _try(link, tap, by, photos)
    return Outcome(tap.key, Result.REFUSED, str(AGAIN))


def _try(link: CrewLink, tap: Tap, by: By, photos: Sequence[ReadyPhoto]) -> Outcome:
    """Carry out a tap on the job as it is now. Raises JobChangedMeanwhile."""
    if _is_known(tap):
        return Outcome(tap.key, Result.REPEATED)
    try:
        _do(link, tap, by, photos)
    except _Refused as refusal:
        return Outcome(tap.key, Result.REFUSED, str(refusal))
    except AlreadyThere:  # the other phone in the truck was faster
        return Outcome(tap.key, Result.REPEATED)
    except IntegrityError:
        # The same tap arrived twice at once; the unique key let one through.
        if not _is_known(tap):
            raise
        return Outcome(tap.key, Result.REPEATED)
    return Outcome(tap.key, Result.DONE)


def _is_known(tap: Tap) -> bool:
    return JobEvent.objects.filter(key=tap.key).exists()


def _job_of(link: CrewLink, tap: Tap) -> Job | None:
    """Return the job as it is now, if it is on the run. Those of other crews are as unknown."""
    if tap.job is None:
        return None
    jobs = jobs_of(link).select_related("customer", "service", "crew")
    found: Job | None = jobs.prefetch_related("events", "prices").filter(pk=tap.job).first()
    return found


def _do(link: CrewLink, tap: Tap, by: By, photos: Sequence[ReadyPhoto]) -> None:
    job = _job_of(link, tap)
    if job is None:
        raise _Refused(NOT_ON_RUN)
    if tap.act is None:
        raise _Refused(UNREADABLE)
    if not fits(tap.act, state_of(job)) or job.status == Status.CANCELLED:
        raise _Refused(state_words(job))
    try:
        if tap.act == Act.PHOTO:
            add_photos(job=job, photos=photos, stage=tap.stage, **by)
        elif tap.act in MOVES:
            advance(job=job, to=MOVES[tap.act], reason=_reason(link), **by)
        else:
            REPORTS[tap.act](job, tap, by)
    except (AlreadyThere, JobChangedMeanwhile):
        raise
    except DispatchError as error:
        raise _Refused(refusal_words(error, act=tap.act, job=job)) from error


def _reason(link: CrewLink) -> str:
    """After midnight the window is on another day, but the run is still this one."""
    return "" if timezone.localdate() == link.day else f"On the run of {link.day}"


def _arrived(job: Job, tap: Tap, by: By) -> None:
    report_arrival(job=job, **by)


def _late(job: Job, tap: Tap, by: By) -> None:
    if tap.minutes not in DELAYS:
        raise _Refused(UNREADABLE)
    report_delay(job=job, minutes=tap.minutes, **by)


def _failed(job: Job, tap: Tap, by: By) -> None:
    if tap.why not in Failure.values:
        raise _Refused(UNREADABLE)
    fail_visit(job=job, why=Failure(tap.why), note=tap.note, **by)


def _price(job: Job, tap: Tap, by: By) -> None:
    if job.status not in OPEN:
        raise _Refused(state_words(job))
    set_price(job=job, price=parse_price(tap.price), reason=tap.note, **by)


REPORTS: dict[Act, Do] = {
    Act.ARRIVED: _arrived,
    Act.LATE: _late,
    Act.FAILED: _failed,
    Act.PRICE: _price,
}
