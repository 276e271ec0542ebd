"""The CSRF check of the booking form, whose page is a static file without a CSRF cookie."""

from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest


def is_own_page(request: HttpRequest) -> bool:
    """Whether a POST may come from one of our pages.

    Browsers send Sec-Fetch-Site, older ones Origin (Fetch standard). A client that sends neither
    is not a browser, so no other site's page can have triggered the request.
    """
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site == "same-origin"
    origin = request.headers.get("Origin")
    return origin is None or origin in own_origins(request)


def own_origins(request: HttpRequest) -> set[str]:
    """Return the origins that serve our pages."""
    site = urlsplit(settings.SITE_URL)
    return {f"{site.scheme}://{site.netloc}", f"{request.scheme}://{request.get_host()}"}
