"""The settings of the local back end."""

import os
from pathlib import Path

from django.conf import settings
from django.core.checks import CheckMessage, Error


def has_local_edge() -> bool:
    """Whether a local edge answers viewers: always."""
    return True


def check_settings() -> list[CheckMessage]:
    """Check the object store's folder (edge.E003) and the database (edge.E005)."""
    found: list[CheckMessage] = []
    store = Path(settings.EDGE_STORE_DIR)
    if not _is_writable(store):
        found.append(_read_only(store))
    if not settings.DEBUG and _is_in_memory(str(settings.DATABASES["default"]["NAME"])):
        found.append(_database_not_shared())
    return found


def _is_writable(folder: Path) -> bool:
    """Whether the folder, or the nearest existing folder above it, can be written."""
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    return existing.is_dir() and os.access(existing, os.W_OK)


def _is_in_memory(database: str) -> bool:
    return database == ":memory:" or "mode=memory" in database


def _read_only(store: Path) -> Error:
    return Error(
        f"The object store's folder {store} is not writable.",
        hint="Make it writable for this user, or set DATA_DIR to a writable folder.",
        id="edge.E003",
    )


def _database_not_shared() -> Error:
    return Error(
        "EDGE_BACKEND is local and the database is in memory, so every process would serve its "
        "own releases.",
        hint="Set DATABASE_URL to a file or a server that the web server and the tasks share.",
        id="edge.E005",
    )
