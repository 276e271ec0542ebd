"""Parse a service address from one line."""

import re
from dataclasses import dataclass
from urllib.parse import urlencode

from dispatch.errors import ValueRefused

HINT = 'Write it like "1423 Soderblom Avenue, Fairbanks, 99709".'
_ZIP = re.compile(r"\d{5}(?:-\d{4})?", re.ASCII)
# "AK 99709": the state is dropped, because the ZIP implies it.
_STATE = re.compile(r"[A-Z]{2}\s+(?=\d)", re.IGNORECASE)
_ZIP_AT_END = re.compile(rf"(?:^|\s)(?P<zip>{_ZIP.pattern})$", re.ASCII)
# Alone, five digits may be those of a post office box.
_STATE_AND_ZIP = re.compile(rf"\s[A-Z]{{2}}\s+(?P<zip>{_ZIP.pattern})$", re.ASCII)
_STATE_AT_END = re.compile(r"(?:^|\s+)[A-Z]{2}$")
MIN_PARTS = 3


@dataclass(frozen=True, slots=True)
class Address:
    """A service address; `unit` is the part between line and town, or ""."""

    line: str
    unit: str
    town: str
    zip_code: str

    def __str__(self) -> str:
        """Return the parts that are known, on one line."""
        return one_line(self.line, self.unit, self.town, self.zip_code)


def one_line(*parts: str) -> str:
    """Join the parts of an address that are not empty."""
    return ", ".join(filter(None, parts))


def map_url(address: str) -> str:
    """Return a link that shows an address on a map, on a phone in its map application."""
    return "https://www.google.com/maps/search/?" + urlencode({"api": 1, "query": address})


def parse_address(text: str) -> Address:
    """Parse "LINE, TOWN, ZIP" or "LINE, UNIT, TOWN, ZIP". Raises ValueRefused."""
    parts = [part.strip() for part in text.split(",")]
    if len(parts) < MIN_PARTS or not all(parts):
        raise ValueRefused(f"Expected an address with three parts, found '{text}'.", HINT)
    line, *unit, town, zip_code = parts
    return Address(line, ", ".join(unit), town, parse_zip(_STATE.sub("", zip_code, count=1)))


def split_address(text: str) -> Address:
    """Split an address as former systems kept it; a town or ZIP code that it lacks is "".

    "12 Chena Road, Fairbanks, AK 99709", "12 Chena Road, Fairbanks AK 99709", over several lines,
    or only "12 Chena Road".
    """
    parts = [part for part in map(str.strip, re.split(r"[,\r\n]+", text)) if part] or [""]
    with_zip = (_ZIP_AT_END if len(parts) > 1 else _STATE_AND_ZIP).search(parts[-1])
    zip_code = with_zip["zip"] if with_zip else ""
    if with_zip:
        parts[-1] = parts[-1][: with_zip.start()]
    if len(parts) > 1 and not parts[-1]:
        parts.pop()
    if len(parts) > 1:
        parts[-1] = _STATE_AT_END.sub("", parts[-1])
        if not parts[-1]:
            parts.pop()
    line, *rest = parts
    *unit, town = rest or [""]
    return Address(line, ", ".join(unit), town, zip_code)


def parse_zip(text: str) -> str:
    """Return a ZIP code of five digits, or ZIP+4. Raises ValueRefused."""
    if not _ZIP.fullmatch(text.strip()):
        raise ValueRefused(
            f"Expected a ZIP code of five digits, found '{text}'.",
            "Enter one like 99709.",
            field="zip_code",
        )
    return text.strip()
