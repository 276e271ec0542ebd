"""System checks of the settings, with ids and hints: what would be unsafe or split in two."""

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core import checks
from django.http.request import validate_host


def check_settings(app_configs: Any, **kwargs: Any) -> list[checks.CheckMessage]:
    """Look at the settings a person sets."""
    return [message for check in (_secret_key, _shared_database, _site_url) for message in check()]


def _secret_key() -> list[checks.CheckMessage]:
    if settings.DEBUG or settings.SECRET_KEY != settings.DEVELOPMENT_KEY:
        return []
    return [
        checks.Error(
            "DEBUG is off and SECRET_KEY is not set.",
            hint="Set SECRET_KEY to 50 random characters and keep them to yourself.",
            id="qdn.E001",
        )
    ]


def _shared_database() -> list[checks.CheckMessage]:
    """The local edge keeps its routing documents in the database: all processes must share it."""
    name = str(settings.DATABASES["default"]["NAME"])
    in_memory = name == ":memory:" or "mode=memory" in name
    if settings.DEBUG or settings.EDGE_BACKEND != "local" or not in_memory:
        return []
    return [
        checks.Error(
            "EDGE_BACKEND=local with a database in memory: every process would serve its own "
            "releases.",
            hint="Set DATABASE_URL to a file or a server that web server and tasks share.",
            id="qdn.E002",
        )
    ]


def _site_url() -> list[checks.CheckMessage]:
    parts = urlsplit(settings.SITE_URL)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        return [
            checks.Error(
                f"SITE_URL is '{settings.SITE_URL}', expected http(s)://host.",
                hint="Set SITE_URL to where customers reach the site.",
                id="qdn.E003",
            )
        ]
    if not validate_host(parts.hostname, settings.ALLOWED_HOSTS):
        return [
            checks.Warning(
                f"ALLOWED_HOSTS does not let {parts.hostname} in, the host of SITE_URL.",
                hint=f"Add {parts.hostname} to ALLOWED_HOSTS.",
                id="qdn.W001",
            )
        ]
    return []
