"""The windows that a customer names in a booking: taken at once, or kept as wishes."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from django.utils import timezone

from dispatch.errors import ValueRefused
from dispatch.models import Job, RequestedWindow, ServiceWindow
from dispatch.statuses import Status
from dispatch.windows.capacity import WindowFull, full_for_customer, lock_rows, take_first
from dispatch.windows.offering import bookable

MOST_WISHES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """The named windows that customers can book now, the first choice first, full or not."""

    named: Sequence[ServiceWindow]
    units: int
    now: datetime

    @classmethod
    def of(cls, job: Job, keys: Sequence[int]) -> Self:
        """Read the windows that are named for a new job. Raises ValueRefused or WindowFull."""
        if len(keys) > MOST_WISHES:
            raise ValueRefused(
                f"Expected up to {MOST_WISHES} windows, found {len(keys)}.",
                "Choose fewer.",
                field="windows",
            )
        now = timezone.now()
        found = {window.pk: window for window in bookable(now).filter(pk__in=keys)}
        named = [found[key] for key in dict.fromkeys(keys) if key in found]
        wishes = cls(named=named, units=job.service.units_of(job.load_size), now=now)
        if not wishes.free:
            raise wishes.refusal(job)
        return wishes

    @property
    def free(self) -> list[ServiceWindow]:
        """Those with room when they were read."""
        return [one for one in self.named if one.taken + self.units <= one.public_units]

    def take_or_wish(self, job: Job) -> list[ServiceWindow]:
        """Give the job, not saved yet, a place in the first window that has room.

        Without instant booking it takes nothing, and the windows with room are returned. Call it in
        the transaction that saves the job. Raises WindowFull if none has room any more.
        """
        if not job.service.instant_booking:
            return self.free
        if len(self.free) > 1:
            # In the order of all who lock windows: an UPDATE that finds no room keeps its lock in
            # PostgreSQL, so two customers who name the same ones could deadlock.
            lock_rows(one.pk for one in self.free)
        window = take_first(self.free, self.units)
        if window is None:
            raise self.refusal(job)
        job.status = Status.SCHEDULED
        job.window, job.window_units = window, self.units
        job.window_start, job.window_end = window.start, window.end
        return []

    def refusal(self, job: Job) -> WindowFull:
        """Return the refusal, with other windows that are free."""
        return full_for_customer(service=job.service, load_size=job.load_size, now=self.now)


def keep_wishes(job: Job, windows: Iterable[ServiceWindow]) -> None:
    """Keep the windows that a saved job's customer asked for, the first choice first."""
    rows = [
        RequestedWindow(job=job, window=window, rank=rank)
        for rank, window in enumerate(windows, start=1)
    ]
    if rows:
        RequestedWindow.objects.bulk_create(rows)
