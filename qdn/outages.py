"""A database or Redis that is down, missing or not migrated: one line and an exit code.

`OperatorCommand` uses it for this project's commands, manage.py for all others.
"""

import logging
import sys
from dataclasses import dataclass

from django.db import Error as DatabaseError
from django.db import InterfaceError, OperationalError, ProgrammingError, connection

from deployments.wording import plural
from qdn.command_lines import command_line

NOT_MIGRATED, NO_ANSWER = 1, 4


@dataclass(frozen=True, slots=True)
class Outage:
    """What is down, and what to do about it. After NO_ANSWER the same command can be run again."""

    line: str
    code: int


def outage_of(error: Exception) -> Outage | None:
    """Return the outage that an error means, or None if it means another fault."""
    if _is_redis_outage(error):
        return Outage(f"Redis does not answer: {_first_line(error)}. {_CHECK_REDIS}", NO_ANSWER)
    if not isinstance(error, OperationalError | InterfaceError | ProgrammingError):
        return None
    try:
        missing = _missing_migrations()
    except DatabaseError as cause:
        return Outage(f"The database does not answer: {_first_line(cause)}. {_check()}", NO_ANSWER)
    if missing:
        line = f"The database lacks {plural(missing, 'migration')}. Run: manage.py migrate"
        return Outage(line, NOT_MIGRATED)
    if isinstance(error, ProgrammingError):
        return None
    return Outage(f"The database failed: {_first_line(error)}.", NO_ANSWER)


def end_command(error: Exception, words: list[str]) -> None:
    """End a command (its words, without manage.py) with one line if an outage made it fail."""
    outage = None if "--traceback" in words else outage_of(error)
    if outage:
        again = f" Run: {command_line(words)}" if outage.code == NO_ANSWER else ""
        sys.stderr.write(f"{outage.line}{again}\n")
        sys.exit(outage.code)


class ShortRedisOutages(logging.Filter):
    """Logs a Redis outage as one line, for example when a change could not be queued."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, Exception) and _is_redis_outage(error):
            record.msg = f"Redis does not answer: {_first_line(error)}. {_CHECK_REDIS}"
            record.args, record.exc_info, record.exc_text = (), None, None
        return True


_CHECK_REDIS = "Check REDIS_URL, and that Redis is running."


def _is_redis_outage(error: Exception) -> bool:
    # Imported only if Redis is used: it costs every command a tenth of its start.
    redis = sys.modules.get("redis.exceptions")
    return redis is not None and isinstance(error, redis.ConnectionError | redis.TimeoutError)


def _missing_migrations() -> int:
    """Return how many migrations have not been applied. Raises DatabaseError."""
    # Imported here because logging is configured with this module before the apps are loaded.
    from django.db.migrations.executor import MigrationExecutor  # noqa: PLC0415

    executor = MigrationExecutor(connection)
    return len(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def _check() -> str:
    if connection.vendor == "sqlite":
        name = connection.settings_dict["NAME"]
        return f"Check that {name} can be written, or set DATA_DIR or DATABASE_URL."
    return "Check DATABASE_URL, and that the server runs and accepts the login."


def _first_line(error: Exception) -> str:
    """Return an error's first line: libpq adds one for each address that it tried."""
    return (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")
