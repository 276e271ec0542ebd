"""System checks of the settings: is the project safe, and reachable?"""

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core import checks
from django.http.request import validate_host


def check_settings(app_configs: Any, **kwargs: Any) -> list[checks.CheckMessage]:
    """Check the settings that operators set."""
    return [*_secret_key(), *_site_url()]


def _secret_key() -> list[checks.CheckMessage]:
    if settings.DEBUG or settings.SECRET_KEY != settings.DEVELOPMENT_KEY:
        return []
    return [
        checks.Error(
            "DEBUG is off and SECRET_KEY is not set.",
            hint="Set SECRET_KEY to 50 random characters, and keep it secret.",
            id="qdn.E001",
        )
    ]


def _site_url() -> list[checks.CheckMessage]:
    parts = urlsplit(settings.SITE_URL)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        return [
            checks.Error(
                f"Expected SITE_URL to be http(s)://host, found '{settings.SITE_URL}'.",
                hint="Set SITE_URL to where customers reach the site.",
                id="qdn.E003",
            )
        ]
    if not validate_host(parts.hostname, settings.ALLOWED_HOSTS):
        return [
            checks.Warning(
                f"ALLOWED_HOSTS does not include {parts.hostname}, the host of SITE_URL.",
                hint=f"Add {parts.hostname} to ALLOWED_HOSTS.",
                id="qdn.W001",
            )
        ]
    return []
