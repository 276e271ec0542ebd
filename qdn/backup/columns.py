"""Rows as JSON and back, between any two databases: plain values, no application code.

A custom field is read and written as the plain field it is stored as. So a pickled field is not
unpickled, and JSON keeps its exact text.
"""

import base64
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from functools import cached_property, partial
from itertools import islice
from typing import Any
from uuid import UUID

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.expressions import Col

AT_ONCE = 2_000
_FROM_JSON: dict[str, Callable[[Any], Any]] = {
    "DateTimeField": datetime.fromisoformat,
    "DateField": date.fromisoformat,
    "TimeField": time.fromisoformat,
    "UUIDField": UUID,
    "DecimalField": Decimal,
    "BinaryField": base64.b64decode,
}
# Stored as another type where that keeps the exact text.
_STORED_AS = {"JSONField": "TextField"}


@dataclass(frozen=True)
class Table:
    """The table of a model, on one connection."""

    model: type[models.Model]
    connection: BaseDatabaseWrapper

    @property
    def name(self) -> str:
        return self.model._meta.db_table

    @cached_property
    def fields(self) -> dict[str, "models.Field[Any, Any]"]:
        """Plain fields by column, but those that the database computes."""
        concrete = self.model._meta.local_concrete_fields
        return {str(field.column): _plain(field) for field in concrete if not field.generated}

    def count(self) -> int:
        with self.connection.cursor() as cursor:
            cursor.execute(f"SELECT COUNT(*) FROM {self._quoted(self.name)}")  # noqa: S608
            found: int = cursor.fetchone()[0]
            return found

    def is_empty(self) -> bool:
        with self.connection.cursor() as cursor:
            cursor.execute(f"SELECT 1 FROM {self._quoted(self.name)} LIMIT 1")  # noqa: S608
            return cursor.fetchone() is None

    def dump(self) -> Iterator[list[Any]]:
        """Iterate over the rows as values of JSON, in the order of `fields`."""
        converters = [self._converters(field) for field in self.fields.values()]
        sql = f"SELECT {self._columns} FROM {self._quoted(self.name)}"  # noqa: S608
        with self.connection.chunked_cursor() as cursor:
            cursor.execute(sql)
            while rows := cursor.fetchmany(AT_ONCE):
                for row in rows:
                    yield [
                        _to_json(convert(value))
                        for convert, value in zip(converters, row, strict=True)
                    ]

    def load(self, rows: Iterable[list[Any]]) -> int:
        """Insert rows that `dump` returned, and return how many."""
        adapters = [self._adapter(field) for field in self.fields.values()]
        places = ", ".join(["%s"] * len(adapters))
        sql = f"INSERT INTO {self._quoted(self.name)} ({self._columns}) VALUES ({places})"  # noqa: S608
        adapted = (
            [adapt(value) for adapt, value in zip(adapters, row, strict=True)] for row in rows
        )
        count = 0
        with self.connection.cursor() as cursor:
            while batch := list(islice(adapted, AT_ONCE)):
                cursor.executemany(sql, batch)
                count += len(batch)
        return count

    @property
    def _columns(self) -> str:
        return ", ".join(map(self._quoted, self.fields))

    def _quoted(self, name: str) -> str:
        return self.connection.ops.quote_name(name)

    def _converters(self, field: "models.Field[Any, Any]") -> Callable[[Any], Any]:
        """Return what turns a value as the database gives it into Python's."""
        column = Col(self.name, field)
        steps = self.connection.ops.get_db_converters(column)

        def convert(value: Any) -> Any:
            for step in steps:
                value = step(value, column, self.connection)
            return value

        return convert if steps else _unchanged

    def _adapter(self, field: "models.Field[Any, Any]") -> Callable[[Any], Any]:
        """Return what turns a value of JSON into one that the database accepts."""
        read = _FROM_JSON.get(field.get_internal_type(), _unchanged)
        prepare = partial(field.get_db_prep_save, connection=self.connection)
        return lambda value: None if value is None else prepare(read(value))


def _plain(field: "models.Field[Any, Any]") -> "models.Field[Any, Any]":
    """Return the plain field that a field's values are stored as."""
    while field.remote_field:
        field = field.target_field  # type: ignore[attr-defined]  # of relations only
    kind = field.get_internal_type()
    options = (
        {"max_digits": field.max_digits, "decimal_places": field.decimal_places}
        if isinstance(field, models.DecimalField)
        else {}
    )
    plain: models.Field[Any, Any] = getattr(models, _STORED_AS.get(kind, kind))(**options)
    return plain


def _unchanged(value: Any) -> Any:
    return value


def _to_json(value: Any) -> Any:
    if isinstance(value, date | time):  # a datetime is a date
        return value.isoformat()
    if isinstance(value, UUID | Decimal):
        return str(value)
    if isinstance(value, bytes | memoryview):
        return base64.b64encode(value).decode()
    return value
