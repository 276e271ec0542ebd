"""Make the service windows of the coming days from the week's templates and their exceptions."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta

from django.db import transaction
from django.db.models import F, Value
from django.db.models.functions import Greatest
from django.utils import timezone

from dispatch.days import local_day
from dispatch.models import BookingSettings, ServiceWindow, WindowException, WindowTemplate

# Start and end, in UTC: times of two zones are never equal around a clock change.
Hours = tuple[datetime, datetime]


@transaction.atomic
def generate_windows(now: datetime) -> int:
    """Make the windows of today and the horizon's days as the rules say; return how many changed.

    Windows that are over stay as they are. A window never gets fewer units than jobs have taken in
    it; one that the rules no longer name is closed. Safe to repeat, also at the same time.
    """
    rules = BookingSettings.load()
    today = timezone.localdate(now)
    days = [today + timedelta(days=number) for number in range(rules.horizon_days + 1)]
    wanted = {hours: units for hours, units in _wanted(days).items() if hours[1] > now}
    until = local_day(now, rules.horizon_days)[1]
    changed = _adapt(now, until, wanted, rules.reserve_percent)
    return changed + _add(wanted, rules.reserve_percent)


def public_part(units: int, reserve_percent: int) -> int:
    """Return the units that customers can take: all but the reserve, which is rounded up."""
    return units - -(-units * reserve_percent // 100)


def _wanted(days: list[date]) -> dict[Hours, int]:
    """Return the units of each window that the rules name on these days."""
    templates, exceptions = defaultdict(list), defaultdict(list)
    for template in WindowTemplate.objects.all():
        templates[template.weekday].append(template)
    for exception in WindowException.objects.filter(day__range=(days[0], days[-1])):
        exceptions[exception.day].append(exception)
    wanted: dict[Hours, int] = {}
    for day in days:
        wanted |= _wanted_on(day, templates[day.weekday()], exceptions[day])
    return wanted


def _wanted_on(
    day: date, templates: Iterable[WindowTemplate], exceptions: Iterable[WindowException]
) -> dict[Hours, int]:
    whole = next((one.units for one in exceptions if one.start is None), None)
    named = [(one.start, one.end, one.units if whole is None else whole) for one in templates]
    # These come last: what is said about one window counts more than what is said about its day.
    named += [(one.start, one.end, one.units) for one in exceptions if one.start and one.end]
    found = {(_moment(day, start), _moment(day, end)): units for start, end, units in named}
    # A window within the hour that a clock change skips has no length.
    return {hours: units for hours, units in found.items() if hours[0] < hours[1]}


def _moment(day: date, at: time) -> datetime:
    """Return the moment of a local time: the first if it comes twice.

    A time that the clock skips becomes as much later as the clock moves: 2:30 becomes 3:30.
    """
    return datetime.combine(day, at, timezone.get_current_timezone()).astimezone(UTC)


def _adapt(now: datetime, until: datetime, wanted: dict[Hours, int], reserve: int) -> int:
    """Give the windows that exist their units, taking them out of `wanted`; count the changes."""
    # Locked in the order of jobs that move between two windows, which could otherwise deadlock.
    windows = ServiceWindow.objects.filter(end__gt=now, start__lt=until).order_by("pk")
    by_units = defaultdict(list)
    for pk, start, end in windows.select_for_update(no_key=True).values_list("pk", "start", "end"):
        by_units[wanted.pop((start, end), 0)].append(pk)
    return sum(_set_units(pks, units, reserve) for units, pks in by_units.items())


def _set_units(pks: list[int], units: int, reserve: int) -> int:
    room = {
        "units": Greatest(F("taken"), Value(units)),
        "public_units": public_part(units, reserve),
    }
    return ServiceWindow.objects.filter(pk__in=pks).exclude(**room).update(**room)


def _add(wanted: dict[Hours, int], reserve: int) -> int:
    rows = [
        ServiceWindow(start=start, end=end, units=units, public_units=public_part(units, reserve))
        for (start, end), units in wanted.items()
        if units
    ]
    # Another process may add them at the same time.
    ServiceWindow.objects.bulk_create(rows, ignore_conflicts=True)
    return len(rows)
