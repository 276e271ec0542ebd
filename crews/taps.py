"""What a phone sends: taps, each with a key of its own and the time of the tap."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Min
from django.utils.dateparse import parse_datetime

from crews.models import CrewLink
from crews.steps import Act
from dispatch.models import Photo

MOST_TAPS = 100
# How far ahead of ours a phone's clock may be.
CLOCKS_DIFFER = timedelta(minutes=2)
MOST_NOTE = 500
_KEY_CHARACTERS, _TIME_CHARACTERS = 36, 40


class TapUnreadable(ValueError):
    """A tap has no key, so that it cannot even be refused by name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tap:
    """A tap. `at` is the phone's time of it, None if there is none, or one that cannot be."""

    key: UUID
    act: Act | None
    job: int | None
    at: datetime | None
    minutes: int | None = None
    why: str = ""
    note: str = ""
    price: str = ""
    stage: str = Photo.Stage.BEFORE


def read_tap(values: Mapping[str, Any]) -> Tap:
    """Return the tap that a form, or an object of JSON, states. Raises TapUnreadable.

    What it says wrongly is None: carrying it out refuses it, in words.
    """
    stage = _text(values, "stage")
    return Tap(
        key=_key(values),
        act=Act(act) if (act := _text(values, "act")) in Act.values else None,
        job=_number(values, "job"),
        at=_moment(_text(values, "at")),
        minutes=_number(values, "minutes"),
        why=_text(values, "why"),
        note=_text(values, "note")[:MOST_NOTE].strip(),
        price=_text(values, "price")[:MOST_NOTE].strip(),
        stage=stage if stage in Photo.Stage.values else Photo.Stage.BEFORE,
    )


def time_of(tap: Tap, link: CrewLink, now: datetime) -> datetime | None:
    """Return when a tap happened, or None if its time cannot be right.

    That is one in the future, or one before there was a link of this crew's day. The tap counts all
    the same: a wrong clock must not lose work.
    """
    if tap.at is None or tap.at > now + CLOCKS_DIFFER:
        return None
    first = CrewLink.objects.filter(crew=link.crew, day=link.day).aggregate(at=Min("created_at"))
    if tap.at < max(first["at"], link.opens_at) - CLOCKS_DIFFER:
        return None
    return min(tap.at, now)


def _key(values: Mapping[str, Any]) -> UUID:
    try:
        return UUID(_text(values, "key")[:_KEY_CHARACTERS])
    except ValueError:
        raise TapUnreadable("Expected a UUID as the key of each tap.") from None


def _text(values: Mapping[str, Any], name: str) -> str:
    value = values.get(name)
    # A database refuses the character 0.
    return value.replace("\0", "") if isinstance(value, str) else ""


def _number(values: Mapping[str, Any], name: str) -> int | None:
    """Return a small number, or None. JSON brings numbers, forms bring text."""
    text = str(values.get(name, ""))
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else None  # noqa: PLR2004


def _moment(text: str) -> datetime | None:
    try:
        found = parse_datetime(text[:_TIME_CHARACTERS])
    except ValueError:
        return None
    return found if found is not None and found.tzinfo is not None else None
