"""What the board depends on, as a short text that is cheap to read.

Two boards with the same stamp are equal, so a page that polls gets 304 without the board being
built. A stamp takes one query of index reads, however many jobs there are.
"""

import hashlib
from datetime import date, datetime
from typing import Any

from django.db import DEFAULT_DB_ALIAS
from django.db.models import BigIntegerField, F, Func, Model, QuerySet, Subquery
from django.db.models.sql import Query

from dispatch.models import Counter, Customer, JobEvent, Run, ServiceWindow, Snooze
from dispatch.runs import bounds
from notifications.kinds import State
from notifications.models import Message
from office.board.days import week_of

# Raised with each change of a row whose changes leave no events: a customer, a crew, a service.
NAMES = "board-names"
LATEST = 100
UNDER_WAY = (State.QUEUED, State.SENDING)


def stamp(day: date, now: datetime, *others: object) -> str:
    """Return the stamp of a day's board in this minute; `others` is what else the answer shows."""
    minute = int(now.timestamp()) // 60  # jobs get late, and reminders due, by the clock
    seen = (day, minute, _read(day, now), others)
    return hashlib.sha256(repr(seen).encode()).hexdigest()[:32]


def raise_names(sender: type[Model], created: bool = False, **kwargs: Any) -> None:
    """Receive post_save and post_delete of rows whose names or phones the board shows."""
    if created and sender is Customer:
        return  # the board shows it once it has a job, which makes an event
    if not Counter.objects.filter(name=NAMES).update(value=F("value") + 1):
        Counter.objects.get_or_create(name=NAMES, defaults={"value": 1})


def _read(day: date, now: datetime) -> list[Any]:
    """Read everything in one query."""
    query = Query(None)
    for number, part in enumerate(_parts(day, now)):
        query.add_annotation(part, f"part{number}")
    compiler = query.get_compiler(using=DEFAULT_DB_ALIAS)
    (row,) = compiler.results_iter()
    return list(row)


def _parts(day: date, now: datetime) -> list[Subquery]:
    week = week_of(day)
    start, end = bounds(week[0])[0], bounds(week[-1])[1]
    messages = Message.objects.all()
    # Not counted up to now: one whose state changes has left these.
    queued = messages.filter(state__in=UNDER_WAY)
    snoozed = Snooze.objects.filter(until__gt=now)
    runs = Run.objects.filter(day=day)
    windows = ServiceWindow.objects.filter(start__gte=start, start__lt=end)
    # A transaction may end after one whose events have higher keys: so the latest all count.
    # By a limit: PostgreSQL expects a third of the table above any key, and starts workers for it.
    events = JobEvent.objects.filter(pk__in=JobEvent.objects.order_by("-pk").values("pk")[:LATEST])
    return [
        _of(events, "MAX", "pk"),
        _of(events, "SUM", "pk"),
        _of(messages, "MAX", "pk"),
        _of(queued, "COUNT", "pk"),
        _of(queued, "SUM", "pk"),
        _of(snoozed, "COUNT", "pk"),
        _of(snoozed, "SUM", "pk"),
        _of(runs, "COUNT", "pk"),
        _of(runs, "SUM", "revision"),
        _of(windows, "SUM", "units"),
        _of(windows, "SUM", "taken"),
        _of(Counter.objects.filter(name=NAMES), "MAX", "value"),
    ]


def _of(rows: QuerySet[Any], function: str, field: str) -> Subquery:
    """Return one number of all rows. Django's own aggregates would group them."""
    number = Func(F(field), function=function, output_field=BigIntegerField())
    return Subquery(rows.order_by().annotate(number=number).values("number"))
