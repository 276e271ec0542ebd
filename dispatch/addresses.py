"""Read a service address written on one line."""

import re
from dataclasses import dataclass

from dispatch.errors import ValueRefused

HINT = 'Write it like "1423 Soderblom Avenue, Fairbanks, 99709".'
_ZIP = re.compile(r"\d{5}(-\d{4})?", re.ASCII)
# "AK 99709": the state is understood and left out, since the ZIP says it.
_STATE = re.compile(r"[A-Z]{2}\s+(?=\d)", re.IGNORECASE)
FEWEST_PARTS = 3


@dataclass(frozen=True, slots=True)
class Address:
    """A service address; `unit` is what stood between the line and the town, or ""."""

    line: str
    unit: str
    town: str
    zip_code: str


def parse_address(text: str) -> Address:
    """Read "LINE, TOWN, ZIP" or "LINE, UNIT, TOWN, ZIP". Raises ValueRefused."""
    parts = [part.strip() for part in text.split(",")]
    if len(parts) < FEWEST_PARTS or not all(parts):
        raise ValueRefused(f"Expected an address in three parts, found '{text}'.", HINT)
    line, *unit, town, zip_code = parts
    return Address(line, ", ".join(unit), town, parse_zip(_STATE.sub("", zip_code, count=1)))


def parse_zip(text: str) -> str:
    """Check a ZIP code: five digits, or ZIP+4. Raises ValueRefused."""
    if not _ZIP.fullmatch(text.strip()):
        raise ValueRefused(
            f"Expected a ZIP code of five digits, found '{text}'.",
            "Give one like 99709.",
            field="zip_code",
        )
    return text.strip()
