"""System checks of the settings: is the project safe, and reachable?

With unsafe settings no web server starts. All other commands run, so for `check` these are
warnings: a clean checkout without any settings can migrate and push.
"""

import sys
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

from django.conf import settings
from django.core import checks
from django.http.request import validate_host
from django.utils.module_loading import import_string

Messages = list[checks.CheckMessage]
# gunicorn's exit code of a worker that cannot start. After any other it starts the next one.
NOT_STARTED = 3


def check_settings(app_configs: Any, **kwargs: Any) -> Messages:
    """Check the settings that operators set."""
    return [*unsafe_settings(), *_site_url(), *_proxies(), *_intervals()]


def check_deployment(app_configs: Any, **kwargs: Any) -> Messages:
    """Check what a production web server needs besides, for `check --deploy`."""
    storage = import_string(str(settings.STORAGES["staticfiles"]["BACKEND"]))
    manifest = getattr(storage, "manifest_name", None)
    if not manifest or (Path(settings.STATIC_ROOT) / manifest).exists():
        return []
    return [
        checks.Warning(
            "The static files have not been collected, so pages of the application fail.",
            hint="Run: manage.py collectstatic --noinput",
            id="qdn.W005",
        )
    ]


def unsafe_settings() -> Messages:
    """Return why no web server may start with these settings: at most one reason."""
    return [*_secret_key(), *_debug()]


def refuse_unsafe_settings() -> None:
    """End a web server that is starting with unsafe settings: one line, exit code 3."""
    for one in unsafe_settings():
        sys.stderr.write(f"{one.msg} {one.hint}\n")
        sys.exit(NOT_STARTED)


def _secret_key() -> Messages:
    if settings.DEBUG or settings.SECRET_KEY != settings.DEVELOPMENT_KEY:
        return []
    return [
        checks.Warning(
            "SECRET_KEY is not set and DEBUG is off. Anyone could forge a login with the public "
            "development key, so no web server starts.",
            hint="Set SECRET_KEY to 50 random characters, and keep it secret. To develop on this "
            "machine, set DEBUG=true instead.",
            id="qdn.W002",
        )
    ]


def _debug() -> Messages:
    parts = urlsplit(settings.SITE_URL)
    if not settings.DEBUG or (parts.scheme == "http" and _is_local(parts.hostname or "")):
        return []
    return [
        checks.Warning(
            f"DEBUG is on and SITE_URL is '{settings.SITE_URL}'. Error pages would show customers' "
            "data to everyone, so no web server starts.",
            hint="Set DEBUG=false. To develop on this machine, set SITE_URL to "
            "http://localhost:8000.",
            id="qdn.W003",
        )
    ]


def _is_local(host: str) -> bool:
    """Whether a host name always means this machine."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _site_url() -> Messages:
    parts = urlsplit(settings.SITE_URL)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        return [
            checks.Error(
                f"Expected SITE_URL to be http(s)://host, found '{settings.SITE_URL}'.",
                hint="Set SITE_URL to where customers reach the site.",
                id="qdn.E003",
            )
        ]
    return _allowed_host(parts)


def _allowed_host(site: SplitResult) -> Messages:
    host = site.hostname or ""
    if validate_host(f"[{host}]" if ":" in host else host, settings.ALLOWED_HOSTS):
        return []
    return [
        checks.Warning(
            f"ALLOWED_HOSTS does not include {host}, the host of SITE_URL.",
            hint=f"Add {host} to ALLOWED_HOSTS.",
            id="qdn.W001",
        )
    ]


def _proxies() -> Messages:
    if not settings.SECURE or settings.TRUSTED_PROXIES > 0:
        return []
    return [
        checks.Warning(
            "SITE_URL is https, so a proxy answers clients, but TRUSTED_PROXIES is 0: all clients "
            "have the proxy's address, and share one limit and one side of a canary.",
            hint="Count the proxies and set TRUSTED_PROXIES: docs/how-to/run-behind-proxies.md",
            id="qdn.W004",
        )
    ]


def _intervals() -> list[checks.CheckMessage]:
    return [
        checks.Error(
            f"Expected {name} to be more than 0, found {getattr(settings, name)}.",
            hint=f"Set {name} to a number of seconds, or remove it to use the default.",
            id="qdn.E004",
        )
        for name in ("PUBLISH_SECONDS", "HEARTBEAT_SECONDS", "STALLED_SECONDS")
        if getattr(settings, name) <= 0
    ]
