"""What jobs take in service windows. Nothing else changes ServiceWindow.taken.

The invariant: `taken` is the sum of `window_units` of the jobs that hold the window. So each
function here belongs into the transaction that writes the job. Room is checked and taken by one
conditional UPDATE, whose row lock makes others wait for the end of that transaction.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import F, Q, Value
from django.db.models.functions import Greatest
from django.utils import timezone

from dispatch.days import interval_text
from dispatch.errors import DispatchError
from dispatch.models import Job, ServiceType, ServiceWindow
from dispatch.statuses import Status
from dispatch.windows.offering import free_for_staff, free_windows

ALTERNATIVES = 2
# What changes how much a job takes, or where.
DECISIVE = frozenset({"window_start", "window_end", "service", "load_size", "status"})
# The crew is there: what it finds changes the job, but no longer what was promised to others.
BEGUN = frozenset({Status.IN_PROGRESS, Status.COMPLETED})


class WindowFull(DispatchError):
    """A window lacks room. `alternatives` are the next two with room."""

    code = "window-full"
    field = "window_start"

    def __init__(
        self, message: str, hint: str = "", *, alternatives: Sequence[ServiceWindow] = ()
    ) -> None:
        super().__init__(message, hint)
        self.alternatives = list(alternatives)


@dataclass(frozen=True, slots=True)
class Hold:
    """What a job takes: units in a window, or nothing."""

    window_id: int | None = None
    units: int = 0

    @property
    def fields(self) -> dict[str, Any]:
        """The job's fields that record it."""
        return {"window_id": self.window_id, "window_units": self.units}


def hold_of(job: Job) -> Hold:
    """Return what the job takes as it was read."""
    return Hold(job.window_id, job.window_units)


def hold_after(job: Job, changes: Mapping[str, Any]) -> Hold:
    """Return what the job is to take after `changes` (field name to value)."""
    if not DECISIVE & changes.keys():
        return hold_of(job)
    status = changes.get("status", job.status)
    window_id = _window_after(job, changes)
    if status == Status.CANCELLED or window_id is None:
        return Hold()
    if window_id == job.window_id and (status in BEGUN or changes.keys() & DECISIVE == {"status"}):
        return hold_of(job)
    service: ServiceType = changes.get("service", job.service)
    return Hold(window_id, service.units_of(changes.get("load_size", job.load_size)))


def check_room(job: Job, changes: Mapping[str, Any]) -> None:
    """Raise WindowFull if `changes` would now be refused, without changing anything."""
    after = hold_after(job, changes)
    for pk, units in _differences(hold_of(job), after):
        if units > 0 and not ServiceWindow.objects.filter(_room(units), pk=pk).exists():
            raise full_for_staff(pk, units)


def exchange(before: Hold, after: Hold, *, by_customer: bool = False) -> None:
    """Release what a job took and take what it takes from now on. Raises WindowFull.

    The reserve is not for customers.
    """
    room = "public_units" if by_customer else "units"
    # In the order of their keys, as everywhere: of two jobs that change places, none deadlocks.
    for pk, units in _differences(before, after):
        if not _change_taken(pk, units, room=room):
            raise full_for_staff(pk, units)


def lock_rows(pks: Iterable[int]) -> None:
    """Lock windows until the transaction ends, in the order of their keys."""
    rows = ServiceWindow.objects.filter(pk__in=list(pks)).order_by("pk")
    list(rows.select_for_update(no_key=True).values_list("pk", flat=True))


def take_first(windows: Iterable[ServiceWindow], units: int) -> ServiceWindow | None:
    """Take units for a customer in the first of the windows that has room; None if none has."""
    taken = (one for one in windows if _change_taken(one.pk, units, room="public_units"))
    return next(taken, None)


def correct(pk: int, held: int) -> None:
    """Set what is taken to what jobs were counted to hold, for recount.repair.

    The window gets room for it if needed: promises are kept.
    """
    ServiceWindow.objects.filter(pk=pk).update(taken=held, units=Greatest(F("units"), Value(held)))


def full_for_customer(*, service: ServiceType, load_size: str, now: datetime) -> WindowFull:
    """Return the refusal of a customer's windows, with others that are free."""
    others = free_windows(service=service, load_size=load_size, now=now, count=ALTERNATIVES)
    hint = f"Choose {_listed(others)}." if others else "Call us to find a time."
    return WindowFull(
        "None of the chosen windows is free any more; nothing was booked.",
        hint,
        alternatives=others,
    )


def full_for_staff(pk: int, units: int) -> WindowFull:
    """Return the refusal of a window to staff, with others that have room."""
    window = ServiceWindow.objects.get(pk=pk)
    others = free_for_staff(units=units, now=timezone.now(), count=ALTERNATIVES)
    add = "add room under Service windows, with a reason."
    hint = f"Choose {_listed(others)}, or {add}" if others else add.capitalize()
    return WindowFull(
        f"{interval_text(window.start, window.end)}: {window.taken} of {window.units} units are "
        f"taken, and this needs {units}.",
        hint,
        alternatives=others,
    )


def _window_after(job: Job, changes: Mapping[str, Any]) -> int | None:
    """Return the window whose times the job has after the changes; other times have none."""
    if not changes.keys() & {"window_start", "window_end"}:
        return job.window_id
    start = changes.get("window_start", job.window_start)
    end = changes.get("window_end", job.window_end)
    found = ServiceWindow.objects.filter(start=start, end=end)
    return found.values_list("pk", flat=True).first() if start and end else None


def _differences(before: Hold, after: Hold) -> list[tuple[int, int]]:
    """Return by how many units each window changes, sorted by key."""
    units: Counter[int] = Counter()
    if before.window_id is not None:
        units[before.window_id] -= before.units
    if after.window_id is not None:
        units[after.window_id] += after.units
    return sorted((pk, number) for pk, number in units.items() if number)


def _change_taken(pk: int, units: int, *, room: str) -> bool:
    row = ServiceWindow.objects.filter(pk=pk)
    if units > 0:
        return row.filter(_room(units, room)).update(taken=F("taken") + units) == 1
    # Not below 0, should the count have drifted: a job must not be stuck because of that.
    return row.update(taken=Greatest(F("taken") + units, Value(0))) == 1


def _room(units: int, room: str = "units") -> Q:
    return Q(taken__lte=F(room) - units)


def _listed(windows: Iterable[ServiceWindow]) -> str:
    return " or ".join(interval_text(one.start, one.end) for one in windows)
