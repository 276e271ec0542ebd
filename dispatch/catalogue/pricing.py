"""The one pricing function. Home page, form, staff and bookings all use it.

A service without a rule for its load has no price: the firm and the customer agree on one.
"""

from datetime import date

from django.db.models import QuerySet

from dispatch.catalogue.area import surcharge_if_served
from dispatch.errors import DispatchError
from dispatch.models import Job, PriceKind, PriceRule, ServiceType
from dispatch.prices import MAX_CENTS, ParsedPrice
from dispatch.statuses import ServiceKind


class PriceChanged(DispatchError):
    """The price that the customer was shown is out of date. `price` is today's, or None."""

    code = "price-changed"

    def __init__(self, *, shown: ParsedPrice, price: ParsedPrice | None) -> None:
        super().__init__(
            f"The price was {shown} and is now {price or 'to be agreed'}; nothing was booked.",
            "Check the new price and send the form again.",
        )
        self.price = price


def quote(
    *,
    service: ServiceType,
    load_size: str = "",
    rental_days: int | None = None,
    zip_code: str = "",
    day: date,
    surcharge: int | None = None,
) -> ParsedPrice | None:
    """Return the price for a booking made on `day`, or None if it is to be agreed.

    The newest rule for the load size applies, or else the newest for any load. Days of rental
    beyond the included ones and the surcharge of the ZIP code (or ZIP+4) are added; `surcharge` is
    that one in cents if it is known already.
    """
    rules = _newest(PriceRule.objects.filter(service=service, load_size__in={load_size, ""}), day)
    rule = rules.get((service.pk, load_size)) or rules.get((service.pk, ""))
    if rule is None:
        return None
    if surcharge is None:
        surcharge = surcharge_if_served(zip_code) or 0
    extra = _extra_days(service, rental_days) * rule.extra_day_cents + surcharge
    upper = None if rule.upper_cents is None else rule.upper_cents + extra
    # Beyond what a price can be, a rule or a number of days is a typo.
    if (upper or rule.cents + extra) > MAX_CENTS:
        return None
    return ParsedPrice(PriceKind(rule.kind), rule.cents + extra, upper)


def quote_job(job: Job, *, day: date) -> ParsedPrice | None:
    """Return the price for a job as it is now, saved or not."""
    return quote(
        service=job.service,
        load_size=job.load_size,
        rental_days=job.rental_days,
        zip_code=job.zip_code,
        day=day,
    )


def check_shown(*, shown: ParsedPrice | None, price: ParsedPrice | None) -> None:
    """Raise PriceChanged if the customer was shown another price; None if none was shown."""
    if shown is not None and shown != price:
        raise PriceChanged(shown=shown, price=price)


def from_prices(day: date) -> dict[str, PriceRule]:
    """Return the rule with the lowest price for each load size, and for "dumpster" of any size.

    Rules for any load count only for dumpsters. The rules come with their services.
    """
    rules = PriceRule.objects.filter(service__active=True).select_related("service")
    lowest: dict[str, PriceRule] = {}
    for rule in _newest(rules, day).values():
        dumpster = rule.service.kind == ServiceKind.DUMPSTER
        key = ServiceKind.DUMPSTER.value if dumpster else rule.load_size
        if key and (key not in lowest or rule.cents < lowest[key].cents):
            lowest[key] = rule
    return lowest


def _newest(rules: QuerySet[PriceRule], day: date) -> dict[tuple[int, str], PriceRule]:
    """Return the newest rule that is valid on a day, by service and load size."""
    valid = rules.filter(valid_from__lte=day).order_by("valid_from")
    return {(rule.service_id, rule.load_size): rule for rule in valid}


def _extra_days(service: ServiceType, rental_days: int | None) -> int:
    if service.kind != ServiceKind.DUMPSTER or rental_days is None:
        return 0
    return max(0, rental_days - service.included_days)
