"""The column that rows are searched by, and the lookup that compares it with a query."""

from collections.abc import Callable
from typing import Any

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.sql.compiler import SQLCompiler

from dispatch.search.index import SEARCHED, index_name
from dispatch.search.query import Choice, Query

Sql = tuple[str, list[Any]]


class SearchTextField(models.TextField):  # type: ignore[type-arg]  # not subscriptable when run
    """The text that a row is found by, made by `make` from the row whenever that is saved.

    As with auto_now, `QuerySet.update` does not know of it: see dispatch.search.keeping.
    """

    def __init__(self, *args: Any, make: Callable[[Any], str] | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.make = make

    def deconstruct(self) -> Any:
        """Be a plain text in migrations: a migration writes rows as they were then."""
        name, _, args, kwargs = super().deconstruct()
        return name, "django.db.models.TextField", args, kwargs

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        if self.make is not None:
            setattr(model_instance, self.attname, self.make(model_instance))
        return super().pre_save(model_instance, add)


@SearchTextField.register_lookup
class Matches(models.Lookup):
    """`search_text__matches=query`: by an index of trigrams, in both databases."""

    lookup_name = "matches"
    prepare_rhs = False
    rhs: Query

    def get_prep_lookup(self) -> Query:
        return self.rhs

    def as_sql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> Any:
        if not self.rhs.ways:
            return "1 = 0", []
        if connection.vendor == "sqlite":
            return self._in_full_text(connection)
        column, _ = self.process_lhs(compiler, connection)
        ways = [[_like(column, choice) for choice in way] for way in self.rhs.ways]
        sql = " OR ".join(f"({' AND '.join(f'({sql})' for sql, _ in way)})" for way in ways)
        return f"({sql})", [value for way in ways for _, values in way for value in values]

    def _in_full_text(self, connection: BaseDatabaseWrapper) -> Sql:
        table = self.lhs.target.model._meta.db_table
        quoted = connection.ops.quote_name
        key = f"{quoted(self.lhs.alias)}.{quoted(SEARCHED[table])}"
        return f"{key} IN ({full_text_sql(table)})", [full_text(self.rhs)]


def full_text_sql(table: str) -> str:
    """Return the statement for SQLite that finds the keys of matching rows; see full_text."""
    index = index_name(table)
    return f'SELECT rowid FROM "{index}" WHERE "{index}" MATCH %s'  # noqa: S608 (ours)


def full_text(query: Query) -> str:
    """Return a query in the language of SQLite's FTS5."""
    ways = (" AND ".join(map(_any_of, way)) for way in query.ways)
    return " OR ".join(f"({way})" for way in ways)


def _any_of(choice: Choice) -> str:
    patterns = " OR ".join(f'"{pattern}"' for pattern in choice)
    return f"({patterns})"


def _like(column: str, choice: Choice) -> Sql:
    return " OR ".join([f"{column} LIKE %s"] * len(choice)), [f"%{one}%" for one in choice]
