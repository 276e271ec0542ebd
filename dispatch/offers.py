"""What the firm offers for a place and a load: the price, and the windows that are free."""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from django.utils import timezone
from django.utils.text import capfirst

from dispatch.catalogue.area import surcharge_if_served
from dispatch.catalogue.pricing import quote
from dispatch.models import ServiceType, ServiceWindow
from dispatch.prices import ParsedPrice
from dispatch.times import interval_text
from dispatch.windows.offering import free_windows


@dataclass(frozen=True, kw_only=True)
class Offer:
    """What is free, and its price; without a service, neither.

    Both are looked up when asked for: a booking that names its window and price needs no others.
    """

    now: datetime
    served: bool = True
    zip_code: str = ""
    service: ServiceType | None = None
    load_size: str = ""
    rental_days: int | None = None
    surcharge_cents: int = 0

    @cached_property
    def price(self) -> ParsedPrice | None:
        """The price with the surcharge, or None if it is to be agreed on."""
        if self.service is None:
            return None
        return quote(
            service=self.service,
            load_size=self.load_size,
            rental_days=self.rental_days,
            zip_code=self.zip_code,
            day=timezone.localdate(self.now),
            surcharge=self.surcharge_cents,
        )

    @cached_property
    def windows(self) -> tuple[ServiceWindow, ...]:
        """The free windows."""
        if self.service is None:
            return ()
        found = free_windows(service=self.service, load_size=self.load_size, now=self.now)
        return tuple(found)

    def choices(self) -> list[tuple[str, str]]:
        """Return the free windows as choices of a field."""
        return [(str(one.pk), capfirst(window_label(one, self.now))) for one in self.windows]


def offer_for(
    *,
    zip_code: str,
    service: ServiceType | None,
    load_size: str = "",
    rental_days: int | None = None,
    now: datetime,
) -> Offer:
    """Return the offer; outside the service area, or without a service, one without windows."""
    surcharge = surcharge_if_served(zip_code)
    if surcharge is None:
        return Offer(now=now, served=False)
    if service is None:
        return Offer(now=now)
    return Offer(
        now=now,
        zip_code=zip_code,
        service=service,
        load_size=load_size,
        rental_days=rental_days,
        surcharge_cents=surcharge,
    )


def window_label(window: ServiceWindow, now: datetime) -> str:
    """Return a window as customers read it, like "Monday, Nov 23, 9:00 - 11:00 AM"."""
    return interval_text(window.start, window.end, now)
