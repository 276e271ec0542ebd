"""When the last backup ended, kept in the object store: all machines can read it there."""

import json
from contextlib import suppress
from datetime import datetime, timedelta

from django.utils import timezone

from edge.errors import ObjectMissing
from edge.protocols import ObjectStore

KEY = "registry/last-backup.json"


def record_backup(objects: ObjectStore, name: str) -> None:
    """Record that a backup has just ended. Raises EdgeError."""
    body = json.dumps({"backup": name, "at": timezone.now().isoformat()}).encode()
    objects.put(KEY, body, content_type="application/json", cache_control="no-store")


def last_backup_age(objects: ObjectStore) -> timedelta | None:
    """Return how long ago the last backup ended, or None if none is recorded. Raises EdgeError."""
    with suppress(ObjectMissing, ValueError, KeyError, TypeError):
        at = datetime.fromisoformat(json.loads(objects.get(KEY).body)["at"])
        return max(timezone.now() - at, timedelta())
    return None
