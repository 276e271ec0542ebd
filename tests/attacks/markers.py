"""Markers: unique texts written into rows, and found again in answers."""

import re
import uuid
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

from django.apps import apps
from django.db import models
from phonenumber_field.modelfields import PhoneNumberField

from crews.models import CrewLink
from crews.run import jobs_of
from dispatch.statuses import OPEN
from tests.attacks.decisions import AS_IT_IS, DECISIONS, LINK, SECRET
from tracking.models import TrackingLink

TEXTS = (
    models.CharField,
    models.TextField,
    models.JSONField,
    models.UUIDField,
    models.GenericIPAddressField,
    models.FileField,
    models.BinaryField,
)
# Letters only: they survive escaping in HTML, JSON, URLs and headers, and the tracking document,
# which drops words with digits.
MARKER = re.compile(r"zq[a-j]{5}qz")
LETTERS = str.maketrans("0123456789", "abcdefghij")
SHORTEST = 10  # a shorter value may occur by chance
TOKEN = "tracking.TrackingLink.token"
# Fields of a job on its crew's page, and those that are gone when it is done.
WHILE_OPEN = {"details", "access_notes", "hold_reason"}
ON_RUN = {"contact_name", "address_line", "unit", "town", "zip_code"} | WHILE_OPEN


def text_fields() -> dict[str, dict[str, models.Field]]:
    """Return the text-like columns of every table: fields by name, by the model's label."""
    found: dict[str, dict[str, models.Field]] = {}
    for model in apps.get_models():
        texts: dict[str, models.Field] = {
            one.name: one for one in model._meta.concrete_fields if isinstance(one, TEXTS)
        }
        if texts and not model._meta.proxy:
            found[model._meta.label] = texts
    return found


class Markers:
    """The markers in a database. `places` has where each was written: "dispatch.Job.unit of 3"."""

    def __init__(self):
        self.places: dict[str, str] = {}
        self._values: set[str] = set()  # the markers that do not match MARKER
        self._done: set[tuple] = set()
        self._numbers: Iterator[int] = count(1)

    def mark_all(self) -> None:
        """Mark every row that is not marked yet, as decided."""
        for label, decisions in DECISIONS.items():
            for row in apps.get_model(label)._base_manager.all():
                for name, decision in decisions.items():
                    if (label, name, row.pk) not in self._done:
                        self._done.add((label, name, row.pk))
                        self._mark(row, row._meta.get_field(name), decision)

    def _mark(self, row: models.Model, field: models.Field, decision: str) -> None:
        column = f"{row._meta.label}.{field.name}"
        place = f"{column} of {row.pk}"
        if decision == AS_IT_IS or column == TOKEN:
            self.know(str(getattr(row, field.name)), place)
        elif decision in (SECRET, LINK):
            rows: Any = models.QuerySet(type(row)).filter(pk=row.pk)  # histories refuse updates
            rows.update(**{field.name: _writer(column, field)(self, place)})

    def in_column(self, column: str) -> bool:
        """Whether a row has a marker in a column, like "dispatch.Job.unit"."""
        return any(place.startswith(f"{column} of ") for place in self.places.values())

    def at_link(self, link: TrackingLink) -> set[str]:
        """Return the markers that the pages of a link may show."""
        rows = {"dispatch.Job": link.job_id, "dispatch.Crew": link.job.crew_id}
        shown = {
            f"{label}.{name} of {pk}"
            for label, pk in rows.items()
            for name, decision in DECISIONS[label].items()
            if decision == LINK
        }
        shown.add(f"{TOKEN} of {link.pk}")
        return {marker for marker, place in self.places.items() if place in shown}

    def at_crew_link(self, link: CrewLink) -> set[str]:
        """Return the markers that the page of a crew's link may show."""
        shown = {f"dispatch.Crew.name of {link.crew_id}", f"crews.CrewLink.token of {link.pk}"}
        for job in jobs_of(link):
            fields = ON_RUN if job.status in OPEN else ON_RUN - WHILE_OPEN
            shown |= {f"dispatch.Job.{name} of {job.pk}" for name in fields}
            shown |= {f"last name, dispatch.Job.contact_name of {job.pk}"}
            shown |= {f"house number, dispatch.Job.address_line of {job.pk}"}
            if job.status in OPEN:
                shown |= {f"dispatch.Customer.phone of {job.customer_id}"}
                shown |= {f"dispatch.Photo.small of {photo.pk}" for photo in job.photos.all()}
                shown |= {f"dispatch.Photo.large of {photo.pk}" for photo in job.photos.all()}
        return {marker for marker, place in self.places.items() if place in shown}

    def found_in(self, text: str) -> set[str]:
        """Return the markers in a text, in any case, with phone numbers in any spelling."""
        text = text.lower()
        digits = re.sub(r"(?<=\d)(\W|%20){1,3}(?=\d)", "", text)
        found = {one for one in MARKER.findall(text) if one in self.places}
        return found | {one for one in self._values if one in text or one in digits}

    def text(self, place: str) -> str:
        """Return a new marker."""
        marker = f"zq{self.next():05}qz".translate(LETTERS)
        self.places[marker] = place
        return marker

    def number(self, start: str, place: str, width: int = SHORTEST) -> str:
        """Return a new marker of digits."""
        return self.know(start + str(self.next()).zfill(width - len(start)), place)

    def know(self, value: str, place: str) -> str:
        """Make a marker of a value that is unique already."""
        assert len(value) >= SHORTEST, f"{place} has {value!r}, which may occur by chance"
        self.places[value.lower()] = place
        self._values.add(value.lower())
        return value

    def next(self) -> int:
        return next(self._numbers)


Writer = Callable[[Markers, str], Any]


def _writer(column: str, field: models.Field) -> Writer:
    """Return the function that makes a marked value for a field."""
    for type_, writer in BY_TYPE.items():
        if isinstance(field, type_) and column not in BY_COLUMN:
            return writer
    return BY_COLUMN.get(column, Markers.text)


def _name(ours: Markers, place: str) -> str:
    return f"{ours.text(place)} {ours.text(f'last name, {place}')}"


def _address(ours: Markers, place: str) -> str:
    return f"{ours.number('7', f'house number, {place}', 12)} {ours.text(place)}"


def _phone(ours: Markers, place: str) -> str:
    return "+1" + ours.number("90755", place)


def _paths(ours: Markers, place: str) -> list[str]:
    return [f"/{ours.text(place)}"]


def _changes(ours: Markers, place: str) -> dict[str, list[str]]:
    return {"details": [ours.text(place), ours.text(place)]}


def _ip_address(ours: Markers, place: str) -> str:
    return ours.know(f"2001:db8::{ours.next():x}", place)


BY_COLUMN: dict[str, Writer] = {
    "dispatch.Job.contact_name": _name,
    "dispatch.Job.address_line": _address,
    "dispatch.JobEvent.changes": _changes,
    "deployments.Distribution.paths": _paths,
    "edge.Invalidation.paths": _paths,
}
BY_TYPE: dict[type, Writer] = {
    PhoneNumberField: _phone,
    models.EmailField: lambda ours, place: f"{ours.text(place)}@example.com",
    models.JSONField: lambda ours, place: {ours.text(place): ours.text(place)},
    models.UUIDField: lambda ours, place: uuid.UUID(ours.number("7", place, 32)),
    models.GenericIPAddressField: lambda ours, place: ours.know(
        f"2001:db8::{ours.next():x}", place
    ),
}
