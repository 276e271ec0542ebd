"""Limits on bookings by the form, per address and per phone.

Only bookings count: a refused form books nothing, nor does a form sent again. So a family behind
one address, or a village behind its provider's, reaches a limit only with jobs that it booked.
"""

from collections.abc import Iterator

from django.conf import settings

from dispatch.limits import DAY, HOUR, Limit, count, hashed, of_address


def count_booking(*, address: str, phone: str) -> None:
    """Count a booking from an IP address ("" if unknown) with a phone in E.164.

    Call it in the booking's transaction, after that has locked the job numbers: no other booking is
    then counted at the same time, so the limits are exact. Raises LimitReached.
    """
    count(list(_limits(address, phone)))


def count_interest(*, address: str) -> None:
    """Count a request from outside the service area, by its IP address ("" if unknown).

    An address may send as many in a day as bookings. Raises LimitReached.
    """
    if address:
        source = of_address("interest", address)
        count([Limit(source, settings.BOOKINGS_PER_ADDRESS_DAY, DAY)])


def _limits(address: str, phone: str) -> Iterator[Limit]:
    yield Limit(hashed("phone", phone), settings.BOOKINGS_PER_PHONE_DAY, DAY)
    if address:
        network = of_address("address", address)
        yield Limit(network, settings.BOOKINGS_PER_ADDRESS_HOUR, HOUR)
        yield Limit(network, settings.BOOKINGS_PER_ADDRESS_DAY, DAY)
