"""What the body of an act says, checked: anything else is BadBody."""

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from django.http import HttpRequest
from django.utils import timezone

from office.board.days import parse_day

MOST_BYTES = 20_000
LARGEST = 2**31 - 1
LONGEST = 200


class BadBody(Exception):
    """The body is not as docs/reference/board.md says."""

    def __init__(self, error: str, hint: str) -> None:
        super().__init__(error)
        self.error = error
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Body:
    """The values of a body; each method returns one of them, or raises BadBody."""

    values: dict[str, Any]

    def number(self, name: str) -> int | None:
        """Return a number, or None if there is none."""
        value = self.values.get(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= LARGEST:
            raise _unexpected(name, "a whole number", value)
        return value

    def needed_number(self, name: str) -> int:
        """Return a number that must be there."""
        value = self.number(name)
        if value is None:
            raise _unexpected(name, "a whole number", None)
        return value

    def text(self, name: str) -> str:
        """Return a text without white space around it; "" if there is none."""
        value = self.values.get(name) or ""
        is_text = isinstance(value, str) and len(value) <= LONGEST and _is_storable(value)
        if not is_text:
            raise _unexpected(name, f"a text of at most {LONGEST} characters", value)
        return str(value).strip()

    def key(self) -> UUID:
        """Return the key with which the act counts once."""
        try:
            return UUID(str(self.values.get("key")))
        except ValueError:
            raise _unexpected("key", "a UUID", self.values.get("key")) from None

    def day(self) -> date:
        """Return the day of the board; without one, today."""
        value = self.values.get("day")
        day = timezone.localdate() if value is None else parse_day(str(value))
        if day is None:
            raise _unexpected("day", "a day like 2026-11-23", value)
        return day

    def moment(self, name: str) -> datetime:
        """Return a time like 2026-11-23T09:00, which is in TIME_ZONE."""
        value = self.values.get(name)
        try:
            naive = datetime.fromisoformat(str(value))
            at = timezone.make_aware(naive)
            # The hour that a change to summer time skips does not survive the way to UTC and back.
            there = timezone.make_naive(at.astimezone(UTC)) == naive
        except (ValueError, OverflowError):
            there = False
        if not there:
            raise _unexpected(name, "a time like 2026-11-23T09:00", value)
        return at


def body_of(request: HttpRequest) -> Body:
    """Return the body of a request, which is one JSON object. Raises BadBody."""
    if int(request.META.get("CONTENT_LENGTH") or 0) > MOST_BYTES:
        raise BadBody(f"The body has more than {MOST_BYTES:,} bytes.", "Send one act at a time.")
    try:
        values = json.loads(request.body)
    except (ValueError, RecursionError):
        raise BadBody("The body is not JSON.", "Send one JSON object.") from None
    if not isinstance(values, dict):
        raise BadBody("The body is not a JSON object.", "Send one JSON object.")
    return Body(values)


def _is_storable(text: str) -> bool:
    """Whether a database can store the text."""
    return "\x00" not in text and not any("\ud800" <= character <= "\udfff" for character in text)


def _unexpected(name: str, expected: str, found: Any) -> BadBody:
    shown = "nothing" if found is None else ascii(found)[:60]
    return BadBody(f"Expected {expected} as “{name}”, found {shown}.", "Reload the page.")
