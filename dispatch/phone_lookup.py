"""The customers of a phone number while it is typed, with what they had before."""

from dataclasses import dataclass

from django.conf import settings
from django.db.models import Q, QuerySet

from dispatch.models import Customer, Job
from dispatch.probes import without_probes
from dispatch.search.text import phone_digits

# Fewer digits are those of too many customers.
MIN_DIGITS = 7
ALL_DIGITS = 10
MOST_CUSTOMERS = 5
MOST_ADDRESSES = 3
# How far back to look for other addresses.
MOST_JOBS = 20


@dataclass(frozen=True, slots=True)
class Known:
    """A customer, and their newest job at each of their latest addresses, the newest first."""

    customer: Customer
    latest: list[Job]


def known_customers(text: str) -> list[Known]:
    """Return the customers whose US phone begins with what was typed, which may be all of it.

    Seven digits are those of a phone with the firm's area code, too. At most one more query than
    customers, each by an index.
    """
    found = _by_phone(phone_digits(text))
    return [Known(customer, _latest(customer)) for customer in found]


def _by_phone(digits: str) -> QuerySet[Customer]:
    """Return the customers whose phone begins so, with or without the country code."""
    if len(digits) > ALL_DIGITS and digits.startswith("1"):
        digits = digits[1:]
    if not MIN_DIGITS <= len(digits) <= ALL_DIGITS:
        return Customer.objects.none()
    # A range, not a prefix: SQLite has no index for LIKE. All US phones have the same length.
    first, last = (f"+1{digits.ljust(ALL_DIGITS, fill)}" for fill in "09")
    meant = Q(phone__gte=first, phone__lte=last)
    if len(digits) == MIN_DIGITS:
        meant |= Q(phone=f"{settings.FIRM_PHONE[:-MIN_DIGITS]}{digits}")
    return without_probes(Customer.objects.filter(meant)).order_by("phone")[:MOST_CUSTOMERS]


def _latest(customer: Customer) -> list[Job]:
    jobs = Job.objects.filter(customer=customer).select_related("service").order_by("-number")
    by_address: dict[str, Job] = {}
    for job in jobs[:MOST_JOBS]:
        by_address.setdefault(job.address.casefold(), job)
    return list(by_address.values())[:MOST_ADDRESSES]
