"""The History page of a row: who changed which field, when and why."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice
from typing import Any

from django.contrib.admin.utils import unquote
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.utils.formats import date_format
from unfold.admin import ModelAdmin

# More than a page of any firm's crew, service or text; older ones stay in the table.
AT_MOST = 200


@dataclass(frozen=True)
class Change:
    """A field's values before and after, as text."""

    field: str
    before: str
    after: str


@dataclass(frozen=True)
class Version:
    """One record: what happened to which row. `row` is "" for the row of the page itself."""

    at: datetime
    row: str
    what: str
    actor: str
    reason: str
    changes: list[Change]


class FieldHistoryAdmin(ModelAdmin):  # type: ignore[misc]  # unfold ships no types
    """A page whose History shows the fields. `history_of` names rows that are edited with it.

    Nothing is put back from here: one corrects the row, and that is a change like any other.
    """

    object_history_template = "dispatch/field_history.html"
    # Models with the field that refers to the row of the page.
    history_of: tuple[tuple[type[models.Model], str], ...] = ()

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Add the versions. They are read by the template, after the permission was checked."""
        key = unquote(object_id)
        context = {**(extra_context or {}), "versions": lambda: self._versions(key)}
        response: HttpResponse = super().history_view(request, object_id, context)
        return response

    def _versions(self, key: str) -> list[Version]:
        found = list(_versions(self.model, self.model._meta.pk.attname, key))
        for model, field in self.history_of:
            found += _versions(model, field, key, named=True)
        return sorted(found, key=lambda version: version.at)[::-1]


def _versions(
    model: type[models.Model], field: str, key: str, *, named: bool = False
) -> Iterator[Version]:
    """Iterate over the records of rows, each with what it changed since the one before."""
    records = model.history.filter(**{field: key})  # type: ignore[attr-defined]
    newest = list(islice(records.order_by("-history_date", "-history_id").iterator(), AT_MOST))
    before: dict[Any, Any] = {}
    versions = []
    for record in reversed(newest):
        last = before.get(record.id)
        before[record.id] = record
        versions.append(_version(record, last, named=named))
    yield from versions


def _version(record: Any, last: Any, *, named: bool) -> Version:
    changes = _changes(record, last) if record.history_type == "~" and last else []
    return Version(
        at=record.history_date,
        row=str(record.instance) if named else "",
        what=record.get_history_type_display(),
        actor=record.history_user_id,
        reason=record.history_change_reason or "",
        changes=changes,
    )


def _changes(record: Any, last: Any) -> list[Change]:
    fields = [field for field in record.tracked_fields if not field.primary_key]
    return [
        Change(str(field.verbose_name), _text(last, field), _text(record, field))
        for field in fields
        if getattr(last, field.attname) != getattr(record, field.attname)
    ]


def _text(record: Any, field: Any) -> str:
    """Return a value as the page of the row shows it."""
    if field.choices:
        return str(getattr(record, f"get_{field.name}_display")())
    value = getattr(record, field.attname)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, date):
        return date_format(value)
    return str(value) if value not in (None, "") else "none"
