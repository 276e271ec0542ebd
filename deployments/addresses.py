"""Where people find an environment's pages."""

from urllib.parse import urlsplit

from django.conf import settings

from deployments.models import Environment


def site_of(environment: Environment) -> str:
    """Give the address of an environment's pages, scheme and host, without a path.

    A distribution answers its first host by https. The local edge answers all hosts where
    SITE_URL leads, so scheme and port are its; so is the host, where it is one of them.
    """
    hosts, site = environment.hosts, urlsplit(settings.SITE_URL)
    if settings.EDGE_BACKEND != "local" and not settings.EDGE_LOCAL_VIEWER:
        return f"https://{hosts[0]}"
    host = site.hostname if site.hostname in hosts else hosts[0]
    return f"{site.scheme}://{host}" + (f":{site.port}" if site.port else "")
