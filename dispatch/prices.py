"""Parse prices like "600 all-in", "$1,250.50 estimate" and "400-600", and record them."""

import re
from dataclasses import dataclass

from dispatch.errors import ValueRefused
from dispatch.models import Job, Price, PriceKind, price_label, price_text

# More than a hauling firm ever charges: a higher amount is a typo.
MAX_CENTS = 100_000_000
HINT = 'Write it like "600 all-in", "1,250.50 estimate" or "400 to 600".'
AMOUNT_HINT = 'Write it like "15", "15.50" or "0".'
MOST_DIGITS = 12

_AMOUNT = r"\$?\s*(\d{1,3}(?:,\d{3})+|\d+)(?:\.(\d{2}))?"
_AMOUNT_ALONE = re.compile(_AMOUNT, re.ASCII)
_PRICE = re.compile(
    rf"{_AMOUNT}(?:\s*(?:-|\u2013|to)\s*{_AMOUNT})?\s*(all[- ]?in|estimate|range)?",
    re.IGNORECASE | re.ASCII,
)


@dataclass(frozen=True, slots=True)
class ParsedPrice:
    """A price as stored; only a range has `upper_cents`."""

    kind: PriceKind
    cents: int
    upper_cents: int | None = None

    def __str__(self) -> str:
        """Return text like "$600 all-in" or "$400 to $600"."""
        return price_text(self.kind, self.cents, self.upper_cents)

    @property
    def shown(self) -> str:
        """The price in the language that is active, for customers."""
        return price_label(self.kind, self.cents, self.upper_cents)

    def matches(self, price: Price) -> bool:
        """Whether `price` is the same price."""
        stored = (price.kind, price.cents, price.upper_cents)
        return (self.kind, self.cents, self.upper_cents) == stored


def record_price(*, job: Job, price: ParsedPrice, actor: str, reason: str = "") -> Price:
    """Add the row of a price. The caller writes the event, in the same transaction."""
    return Price.objects.create(
        job=job,
        kind=price.kind,
        cents=price.cents,
        upper_cents=price.upper_cents,
        actor=actor,
        reason=reason,
    )


def parse_price(text: str) -> ParsedPrice:
    """Return the price that `text` states. A bare amount is all-in. Raises ValueRefused."""
    found = _PRICE.fullmatch(text.strip())
    if found is None:
        raise ValueRefused(f"Expected a price, found '{text}'.", HINT)
    whole, rest, upper_whole, upper_rest, word = found.groups()
    cents = _cents(whole, rest, text)
    upper = _cents(upper_whole, upper_rest, text) if upper_whole else None
    return ParsedPrice(_kind(word or "", cents, upper, text), cents, upper)


def parse_dollars(text: str) -> int:
    """Return the cents of an amount like "15", "$15.50" or "0". Raises ValueRefused."""
    found = _AMOUNT_ALONE.fullmatch(text.strip())
    if found is None:
        raise ValueRefused(f"Expected an amount in dollars, found '{text}'.", AMOUNT_HINT)
    whole, rest = found.groups()
    if not int(whole.replace(",", "")[:MOST_DIGITS]) + int(rest or 0):
        return 0
    return _cents(whole, rest, text)


def _cents(whole: str, rest: str | None, text: str) -> int:
    # Cut before int(), which is slow for very long numbers.
    cents = int(whole.replace(",", "")[:MOST_DIGITS]) * 100 + int(rest or 0)
    if not 0 < cents <= MAX_CENTS:
        raise ValueRefused(f"Expected a price between $0.01 and $1,000,000, found '{text}'.", HINT)
    return cents


def _kind(word: str, cents: int, upper: int | None, text: str) -> PriceKind:
    word = word.lower()
    if upper is None:
        if word == "range":
            raise ValueRefused(f"Expected a range with two amounts, found '{text}'.", HINT)
        return PriceKind.ESTIMATE if word == "estimate" else PriceKind.ALL_IN
    if word.startswith("all"):
        raise ValueRefused(f"Expected one amount for an all-in price, found '{text}'.", HINT)
    if upper <= cents:
        raise ValueRefused(f"Expected a range from low to high, found '{text}'.", HINT)
    return PriceKind.RANGE
