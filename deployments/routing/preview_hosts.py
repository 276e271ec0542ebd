"""The hosts of branch previews: one label below PREVIEW_DOMAIN."""

from collections.abc import Iterable
from urllib.parse import urlsplit

from django.conf import settings

from edge.protocols import Backend

_KEY = "host:"


def preview_host(slug: str) -> str:
    """Return the host of a preview."""
    return f"{slug}.{settings.PREVIEW_DOMAIN}"


def preview_wildcard() -> str:
    """Return the wildcard of these hosts, for DNS and for a distribution."""
    return preview_host("*")


def without_wildcards(aliases: Iterable[str]) -> list[str]:
    """Return the aliases of a distribution that are hosts of its environment.

    A wildcard leads to previews, each of which has a key of its own.
    """
    return [host for host in aliases if not host.startswith("*.")]


def preview_key(slug: str) -> str:
    """Return the key of a preview's routing document."""
    return f"{_KEY}{preview_host(slug)}"


def is_preview_key(key: str) -> bool:
    """Whether a key of the key-value store belongs to a host below PREVIEW_DOMAIN."""
    return key.startswith(_KEY) and key.endswith(f".{settings.PREVIEW_DOMAIN}")


def preview_url(backend: Backend, slug: str) -> str:
    """Return the address of a preview.

    A CDN answers over https. A local edge answers at the scheme and the port of SITE_URL.
    """
    host, site = preview_host(slug), urlsplit(settings.SITE_URL)
    if backend.read_snapshot is None:
        return f"https://{host}/"
    return f"{site.scheme}://{host}" + (f":{site.port}/" if site.port else "/")
