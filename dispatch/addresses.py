"""Parse a service address from one line."""

import re
from dataclasses import dataclass

from dispatch.errors import ValueRefused

HINT = 'Write it like "1423 Soderblom Avenue, Fairbanks, 99709".'
_ZIP = re.compile(r"\d{5}(-\d{4})?", re.ASCII)
# "AK 99709": the state is dropped, because the ZIP implies it.
_STATE = re.compile(r"[A-Z]{2}\s+(?=\d)", re.IGNORECASE)
MIN_PARTS = 3


@dataclass(frozen=True, slots=True)
class Address:
    """A service address; `unit` is the part between line and town, or ""."""

    line: str
    unit: str
    town: str
    zip_code: str


def parse_address(text: str) -> Address:
    """Parse "LINE, TOWN, ZIP" or "LINE, UNIT, TOWN, ZIP". Raises ValueRefused."""
    parts = [part.strip() for part in text.split(",")]
    if len(parts) < MIN_PARTS or not all(parts):
        raise ValueRefused(f"Expected an address with three parts, found '{text}'.", HINT)
    line, *unit, town, zip_code = parts
    return Address(line, ", ".join(unit), town, parse_zip(_STATE.sub("", zip_code, count=1)))


def parse_zip(text: str) -> str:
    """Return a ZIP code of five digits, or ZIP+4. Raises ValueRefused."""
    if not _ZIP.fullmatch(text.strip()):
        raise ValueRefused(
            f"Expected a ZIP code of five digits, found '{text}'.",
            "Enter one like 99709.",
            field="zip_code",
        )
    return text.strip()
