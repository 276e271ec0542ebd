"""Where people find an environment's pages."""

from urllib.parse import urlsplit

from django.conf import settings

from deployments.models import Environment


def site_of(environment: Environment) -> str:
    """Give the address of an environment's pages, scheme and host, without a path.

    A distribution answers its first host by https. The local edge answers all hosts where
    SITE_URL leads, so scheme and port are its; so is the host, where it is one of them. Raises
    Refused.
    """
    host, site = environment.host, urlsplit(settings.SITE_URL)
    if settings.EDGE_BACKEND != "local" and not settings.EDGE_LOCAL_VIEWER:
        return f"https://{host}"
    if site.hostname in environment.hosts:
        host = site.hostname
    return f"{site.scheme}://{host}" + (f":{site.port}" if site.port else "")
