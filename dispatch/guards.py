"""The guards of the flow: what a job must have before it gets a status.

The column `needs` of the status table says what each status needs. This module has the only copy
of the rules; the admin, the commands and booking all move jobs through it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from dispatch.days import local_day
from dispatch.errors import MoveNotAllowed
from dispatch.models import Job, PriceKind
from dispatch.statuses import FLOW, Need, Status, is_forward

ENTER_WINDOW = "Enter one under Plan on the job's page, or use --window."
ENTER_PRICE = "Enter one under Price on the job's page, or use --price."


@dataclass(frozen=True, slots=True)
class Missing:
    """One thing that a job lacks: `hint` says where to enter it, `field` is the job's field."""

    code: str
    message: str
    hint: str
    field: str

    def __str__(self) -> str:
        return f"{self.message} {self.hint}"

    @property
    def words(self) -> str:
        """The code as words, for the history: "no window"."""
        return self.code.replace("-", " ")


class GuardRefused(MoveNotAllowed):
    """The flow allows the step, but the job lacks what it needs. `missing` lists that."""

    code = "guard-refused"

    def __init__(self, missing: Sequence[Missing], advice: str = "") -> None:
        *others, last = missing
        # Each message is followed by its own hint.
        message = " ".join([*map(str, others), last.message])
        super().__init__(message, f"{last.hint} {advice}".strip())
        self.missing = tuple(missing)


def missing(*, job: Job, to: Status, now: datetime, reason: str = "") -> list[Missing]:
    """List what the job lacks to get the status `to` at `now`.

    A reason allows a crew to leave on another day than the window's. Reads the job's prices.
    """
    found = [_no_hold(job, to)]
    found += [RULES[need](job, now, reason) for need in FLOW[to].needs]
    return [one for one in found if one is not None]


def _no_hold(job: Job, to: Status) -> Missing | None:
    if not (job.on_hold and is_forward(Status(job.status), to)):
        return None
    return Missing(
        "on-hold",
        f"{job.label} is on hold: {job.hold_reason.rstrip('.')}.",
        "End the hold under Plan on the job's page.",
        "on_hold",
    )


def _window(job: Job, now: datetime, reason: str) -> Missing | None:
    if job.window_start is not None:
        return None
    return Missing("no-window", f"{job.label} has no arrival window.", ENTER_WINDOW, "window_start")


def _window_ahead(job: Job, now: datetime, reason: str) -> Missing | None:
    if job.window_end is None or job.window_end > now:
        return _window(job, now, reason)
    return Missing(
        "window-over",
        f"The arrival window of {job.label} is over.",
        "Enter a later one under Plan on the job's page, or use --window.",
        "window_start",
    )


def _window_today(job: Job, now: datetime, reason: str) -> Missing | None:
    start, end = local_day(now)
    if job.window_start is None or job.window_end is None:
        return _window(job, now, reason)
    if (job.window_start < end and job.window_end > start) or reason.strip():
        return None
    return Missing(
        "other-day",
        f"The arrival window of {job.label} is not today.",
        "Enter a window today under Plan on the job's page, or use --window; or give a reason.",
        "window_start",
    )


def _crew(job: Job, now: datetime, reason: str) -> Missing | None:
    if job.crew_id is not None:
        return None
    hint = "Choose one under Plan on the job's page, or use --crew."
    return Missing("no-crew", f"{job.label} has no crew.", hint, "crew")


def _price(job: Job, now: datetime, reason: str) -> Missing | None:
    if job.price is not None:
        return None
    return Missing("no-price", f"{job.label} has no price.", ENTER_PRICE, "price_text")


def _final_price(job: Job, now: datetime, reason: str) -> Missing | None:
    price = job.price
    if price is not None and price.kind == PriceKind.ALL_IN:
        return None
    only = f", only {price}" if price else ""
    message = f"{job.label} has no all-in price{only}."
    return Missing("no-final-price", message, ENTER_PRICE, "price_text")


RULES: dict[Need, Callable[[Job, datetime, str], Missing | None]] = {
    Need.WINDOW: _window,
    Need.WINDOW_AHEAD: _window_ahead,
    Need.WINDOW_TODAY: _window_today,
    Need.CREW: _crew,
    Need.PRICE: _price,
    Need.FINAL_PRICE: _final_price,
}
