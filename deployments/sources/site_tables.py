"""What the readers of the tables in `qdn.toml` share. Pure."""

import tomllib
from collections.abc import Callable, Mapping
from typing import Any

from deployments.errors import Refused

SITE_FILE = "qdn.toml"


def read_tables(body: bytes, known: set[str]) -> dict[str, dict[str, Any]]:
    """Return the tables of the file, of which only `known` ones may exist. Raises Refused."""
    try:
        tables = tomllib.loads(body.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise wrong(f"is not TOML: {error}", "Correct it.") from error
    check_known(tables, known, "table")
    for name, table in tables.items():
        if not isinstance(table, dict):
            raise wrong(f"has a value for '{name}', expected a table", f"Begin it with [{name}].")
    return tables


def read_keys(table: dict[str, Any], readers: Mapping[str, Callable[[Any], Any]]) -> dict[str, Any]:
    """Read each key of a table with its reader. Raises Refused for a key without one."""
    check_known(table, set(readers), "key")
    return {name: readers[name](value) for name, value in table.items()}


def check_known(found: dict[str, Any], known: set[str], kind: str) -> None:
    """Refuse names that mean nothing here. Raises Refused."""
    unknown = sorted(set(found) - known)
    if unknown:
        raise wrong(
            f"has the unknown {kind} '{unknown[0]}'", f"Use only: {', '.join(sorted(known))}."
        )


def wrong(fault: str, hint: str) -> Refused:
    """Return the error for a file that `fault` is said of."""
    return Refused("site-file-invalid", f"{SITE_FILE} {fault}.", hint)
