"""The indexes that a search uses: of the trigrams in each table's `search_text`.

PostgreSQL has them from its extension pg_trgm. SQLite has a table of its full-text search (FTS5)
beside each table, which triggers keep. Django knows of neither, so a migration that copies a
table of SQLite into a new one takes its triggers away: `keep_indexes` notices that after every
`migrate`.
"""

import sqlite3
from typing import Any

from django.core.management.base import CommandError
from django.db import DatabaseError, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

# The tables that are searched, with the key that their rows are found by, the newest highest.
SEARCHED = {"dispatch_job": "number", "dispatch_customer": "id", "dispatch_word": "id"}
COLUMN = "search_text"
TRIGGERS = ("added", "removed", "changed")
# From as many texts PostgreSQL guesses how many rows have a word. With its default of 100 it takes
# a word in one of 500 jobs for one in 10,000, or for one in 100, and reads the wrong index.
SAMPLES = 1_000
FIRST_SQLITE = (3, 34)  # with an index of trigrams

_SQLITE = (
    """CREATE VIRTUAL TABLE "{index}" USING fts5(
        search_text, content='{table}', content_rowid='{key}', tokenize='trigram')""",
    """CREATE TRIGGER "{index}_added" AFTER INSERT ON "{table}" BEGIN
        INSERT INTO "{index}"(rowid, search_text) VALUES (new."{key}", new.search_text); END""",
    """CREATE TRIGGER "{index}_removed" AFTER DELETE ON "{table}" BEGIN
        INSERT INTO "{index}"("{index}", rowid, search_text)
        VALUES ('delete', old."{key}", old.search_text); END""",
    """CREATE TRIGGER "{index}_changed" AFTER UPDATE OF search_text, "{key}" ON "{table}"
        WHEN old.search_text <> new.search_text OR old."{key}" <> new."{key}" BEGIN
        INSERT INTO "{index}"("{index}", rowid, search_text)
        VALUES ('delete', old."{key}", old.search_text);
        INSERT INTO "{index}"(rowid, search_text) VALUES (new."{key}", new.search_text); END""",
    """INSERT INTO "{index}"("{index}") VALUES ('rebuild')""",
)
_POSTGRESQL = (
    """CREATE INDEX "{index}" ON "{table}" USING gin (search_text gin_trgm_ops)""",
    """ALTER TABLE "{table}" ALTER COLUMN search_text SET STATISTICS {samples}""",
)


def index_name(table: str) -> str:
    return f"{table}_search"


def make_indexes(connection: BaseDatabaseWrapper) -> None:
    """Make the indexes from the rows that are there. Raises CommandError."""
    drop_indexes(connection)
    if connection.vendor == "postgresql":
        _make_extension(connection)
    elif sqlite3.sqlite_version_info < FIRST_SQLITE:
        found = sqlite3.sqlite_version
        raise CommandError(
            f"The search of jobs needs SQLite 3.34 or newer, found {found}. Use a Python with a "
            "newer SQLite, or PostgreSQL by DATABASE_URL; then run: manage.py migrate"
        )
    for table in SEARCHED:
        _make_index(connection, table)


def drop_indexes(connection: BaseDatabaseWrapper) -> None:
    """Drop the indexes that there are. PostgreSQL keeps its extension; others may use it."""
    for table in SEARCHED:
        _drop_index(connection, table)


def keep_indexes(*, using: str, **_: Any) -> None:
    """Make the indexes of SQLite whose triggers are gone. It is a receiver of `post_migrate`."""
    connection = connections[using]
    if connection.vendor != "sqlite":
        return
    for table in _without_triggers(connection):
        with transaction.atomic(using=using):
            _drop_index(connection, table)
            _make_index(connection, table)


def _make_index(connection: BaseDatabaseWrapper, table: str) -> None:
    statements = _SQLITE if connection.vendor == "sqlite" else _POSTGRESQL
    names = {"index": index_name(table), "table": table, "key": SEARCHED[table]}
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement.format(**names, samples=SAMPLES))


def _drop_index(connection: BaseDatabaseWrapper, table: str) -> None:
    index = index_name(table)
    drops = [f'DROP INDEX IF EXISTS "{index}"']
    if connection.vendor == "sqlite":
        drops = [f'DROP TRIGGER IF EXISTS "{index}_{name}"' for name in TRIGGERS]
        drops.append(f'DROP TABLE IF EXISTS "{index}"')
    with connection.cursor() as cursor:
        for statement in drops:
            cursor.execute(statement)


def _without_triggers(connection: BaseDatabaseWrapper) -> list[str]:
    """Return the tables that have the column, but not all triggers."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        triggers = {name for (name,) in cursor.fetchall()}
        incomplete = [
            table
            for table in SEARCHED
            if not {f"{index_name(table)}_{name}" for name in TRIGGERS} <= triggers
        ]
        return [table for table in incomplete if _has_column(cursor, table)]


def _has_column(cursor: Any, table: str) -> bool:
    cursor.execute("SELECT 1 FROM pragma_table_info(%s) WHERE name = %s", [table, COLUMN])
    return cursor.fetchone() is not None


def _make_extension(connection: BaseDatabaseWrapper) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_extension WHERE extname = 'pg_trgm'")
        if cursor.fetchone():
            return
        try:
            cursor.execute("CREATE EXTENSION pg_trgm")
        except DatabaseError as error:
            raise CommandError(_no_extension(connection, error)) from error


def _no_extension(connection: BaseDatabaseWrapper, error: DatabaseError) -> str:
    reason = " ".join(str(error).split())
    name = connection.settings_dict["NAME"]
    return (
        f"The search of jobs needs PostgreSQL's extension pg_trgm, which could not be created: "
        f"{reason}. Install PostgreSQL's contrib package if it is missing, have a superuser run "
        f'psql {name} -c "CREATE EXTENSION pg_trgm", and run it again: manage.py migrate'
    )
