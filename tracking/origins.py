"""Where a form was sent from. The booking page is a static file and has no CSRF cookie."""

from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest


def is_own_page(request: HttpRequest) -> bool:
    """Tell whether a POST may come from a page of ours.

    Browsers say so in Sec-Fetch-Site, older ones in Origin (the Fetch standard); whatever sends
    neither is no browser, and no page can have made it send.
    """
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site == "same-origin"
    origin = request.headers.get("Origin")
    return origin is None or origin in own_origins(request)


def own_origins(request: HttpRequest) -> set[str]:
    """List the origins our pages are served from."""
    site = urlsplit(settings.SITE_URL)
    return {f"{site.scheme}://{site.netloc}", f"{request.scheme}://{request.get_host()}"}
