"""The rows a fresh database starts with: job counter, services, prices, area, week.

This runs after every `migrate` instead of as a data migration, because tests that flush the
database get the rows back. It never overwrites anyone's changes: services are added only when there
are none, and prices, ZIP codes and the week's windows only with them. A firm without prices agrees
on each, one without ZIP codes serves them all, and one without windows asks its customers for a
day. The group of dispatchers gets its permissions in qdn/roles.py.
"""

from datetime import date, time
from typing import Any

from django.db import connections
from django.utils.translation import gettext_noop

from dispatch.models import (
    TRUCK_UNITS,
    Counter,
    LoadSize,
    PriceRule,
    ServedZip,
    ServiceType,
    WindowTemplate,
)
from dispatch.prices import parse_dollars, parse_price
from dispatch.statuses import ServiceKind

DISPATCHERS = "Dispatchers"
SERVICES: list[dict[str, Any]] = [
    {
        "code": "junk",
        "name": gettext_noop("Junk removal"),
        "kind": ServiceKind.HAUL,
        "description": gettext_noop("We load it, haul it and sweep up."),
        "units": 2,
        "minutes_on_site": 45,
        "instant_booking": True,
    },
    {
        "code": "dumpster-10",
        "name": gettext_noop("10-yard dumpster"),
        "kind": ServiceKind.DUMPSTER,
        "description": gettext_noop("For a garage or one room: about three pickup loads."),
        "units": TRUCK_UNITS,
        "minutes_on_site": 20,
        "included_days": 7,
    },
    {
        "code": "dumpster-20",
        "name": gettext_noop("20-yard dumpster"),
        "kind": ServiceKind.DUMPSTER,
        "description": gettext_noop("For a remodel or a whole house: about six pickup loads."),
        "units": TRUCK_UNITS,
        "minutes_on_site": 20,
        "included_days": 7,
    },
    {
        "code": "cleanout",
        "name": gettext_noop("Estate & garage cleanout"),
        "kind": ServiceKind.HAUL,
        "description": gettext_noop("A house, garage or storage unit emptied in one visit."),
        "units": TRUCK_UNITS,
        "minutes_on_site": 180,
    },
]
# Service, load size ("" for any) and price; dumpsters also have the price of a further day.
PRICES = [
    ("junk", LoadSize.EIGHTH, "120 all-in", "0"),
    ("junk", LoadSize.QUARTER, "210 all-in", "0"),
    ("junk", LoadSize.HALF, "340 all-in", "0"),
    ("junk", LoadSize.THREE_QUARTERS, "480 all-in", "0"),
    ("junk", LoadSize.FULL, "600 all-in", "0"),
    ("junk", LoadSize.MORE, "600 to 1,200", "0"),
    ("junk", "", "120 to 600", "0"),
    ("dumpster-10", "", "390 all-in", "15"),
    ("dumpster-20", "", "520 all-in", "20"),
    ("cleanout", "", "600 to 1,800", "0"),
]
# Long before the first booking.
PRICES_FROM = date(2020, 1, 1)
# ZIP code, town, and surcharge in cents.
AREA = [
    ("99701", "Fairbanks", 0),
    ("99702", "Eielson AFB", 0),
    ("99703", "Fort Wainwright", 0),
    ("99705", "North Pole", 0),
    ("99706", "Fairbanks", 0),
    ("99709", "Fairbanks", 0),
    ("99712", "Fairbanks", 0),
    ("99714", "Salcha", 4_500),
    ("99725", "Ester", 2_000),
    ("99775", "Fairbanks", 0),
    ("99790", "Fairbanks", 0),
]
# Monday to Saturday: the hours of each window.
WEEKDAYS = range(6)
HOURS = [(8, 10), (10, 12), (13, 15), (15, 17)]


def seed(using: str = "default", **kwargs: Any) -> None:
    """Add missing rows. Receives post_migrate, which passes more arguments."""
    connection = connections[using]
    if Counter._meta.db_table not in connection.introspection.table_names():
        return  # after `migrate dispatch zero`, or when another app migrated first
    Counter.objects.using(using).get_or_create(name="job", defaults={"value": 1000})
    _seed_services(using)


def _seed_services(using: str) -> None:
    services = ServiceType.objects.using(using)
    if services.exists():
        return
    services.bulk_create(
        ServiceType(position=position, **values) for position, values in enumerate(SERVICES)
    )
    _seed_prices(using)
    ServedZip.objects.using(using).bulk_create(
        ServedZip(zip_code=zip_code, town=town, surcharge_cents=cents)
        for zip_code, town, cents in AREA
    )
    _seed_week(using)


def _seed_prices(using: str) -> None:
    services = {service.code: service for service in ServiceType.objects.using(using)}
    # In bulk, which writes no field history: what every installation starts with is not a change.
    PriceRule.objects.using(using).bulk_create(
        PriceRule(
            service=services[code],
            load_size=load_size,
            kind=price.kind,
            cents=price.cents,
            upper_cents=price.upper_cents,
            extra_day_cents=parse_dollars(extra_day),
            valid_from=PRICES_FROM,
        )
        for code, load_size, price, extra_day in (
            (code, load_size, parse_price(text), extra_day)
            for code, load_size, text, extra_day in PRICES
        )
    )


def _seed_week(using: str) -> None:
    """Add the week's templates. Their windows are made by the daily task, or once asked for."""
    WindowTemplate.objects.using(using).bulk_create(
        WindowTemplate(weekday=weekday, start=time(start), end=time(end))
        for weekday in WEEKDAYS
        for start, end in HOURS
    )
