"""Parse prices like "600 all-in", "$1,250.50 estimate" and "400-600"."""

import re
from dataclasses import dataclass

from dispatch.errors import ValueRefused
from dispatch.models import Price

# More than a hauling firm ever charges: a higher amount is a typo.
MAX_CENTS = 100_000_000
HINT = 'Write it like "600 all-in", "1,250.50 estimate" or "400 to 600".'

_AMOUNT = r"\$?\s*(\d{1,3}(?:,\d{3})+|\d+)(?:\.(\d{2}))?"
_PRICE = re.compile(
    rf"{_AMOUNT}(?:\s*(?:-|\u2013|to)\s*{_AMOUNT})?\s*(all[- ]?in|estimate|range)?",
    re.IGNORECASE | re.ASCII,
)


@dataclass(frozen=True, slots=True)
class ParsedPrice:
    """A price as stored; only a range has `upper_cents`."""

    kind: Price.Kind
    cents: int
    upper_cents: int | None = None

    def matches(self, price: Price) -> bool:
        """Whether `price` is the same price."""
        stored = (price.kind, price.cents, price.upper_cents)
        return (self.kind, self.cents, self.upper_cents) == stored


def parse_price(text: str) -> ParsedPrice:
    """Return the price that `text` states. A bare amount is all-in. Raises ValueRefused."""
    found = _PRICE.fullmatch(text.strip())
    if found is None:
        raise ValueRefused(f"Expected a price, found '{text}'.", HINT)
    whole, rest, upper_whole, upper_rest, word = found.groups()
    cents = _cents(whole, rest, text)
    upper = _cents(upper_whole, upper_rest, text) if upper_whole else None
    return ParsedPrice(_kind(word or "", cents, upper, text), cents, upper)


def _cents(whole: str, rest: str | None, text: str) -> int:
    # Cut before int(), which is slow for very long numbers.
    cents = int(whole.replace(",", "")[:12]) * 100 + int(rest or 0)
    if not 0 < cents <= MAX_CENTS:
        raise ValueRefused(f"Expected a price between $0.01 and $1,000,000, found '{text}'.", HINT)
    return cents


def _kind(word: str, cents: int, upper: int | None, text: str) -> Price.Kind:
    word = word.lower()
    if upper is None:
        if word == "range":
            raise ValueRefused(f"Expected a range with two amounts, found '{text}'.", HINT)
        return Price.Kind.ESTIMATE if word == "estimate" else Price.Kind.ALL_IN
    if word.startswith("all"):
        raise ValueRefused(f"Expected one amount for an all-in price, found '{text}'.", HINT)
    if upper <= cents:
        raise ValueRefused(f"Expected a range from low to high, found '{text}'.", HINT)
    return Price.Kind.RANGE
