"""Who may see a crew's page: anyone who has a link of today.

A wrong link gets one answer for all reasons. After many from one address, the answer is 429, and
nothing more is written; a right link opens even then, because many phones share an address.
"""

from collections.abc import Callable
from functools import wraps
from math import ceil
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from crews.languages import in_crew_language
from crews.links import find_link
from dispatch.limits import HOUR, Limit, LimitReached, count, of_address
from edge.viewer_address import viewer_address
from tracking.origins import is_own_page
from tracking.private_pages import private

WRONG_PER_ADDRESS = 60
NOT_OPEN, REFUSED, TOO_MANY_REQUESTS = 404, 403, 429
View = Callable[..., HttpResponse]


def for_crew(view: View) -> View:
    """Call view(request, link, ...) for the open link of a token.

    There is no session, and so no CSRF cookie: the token is the secret, and a POST must come from
    one of our pages.
    """

    @csrf_exempt
    @private
    @in_crew_language
    @wraps(view)
    def wrapped(request: HttpRequest, token: str, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.method == "POST" and not is_own_page(request):
            return render(request, "crews/refused.html", status=REFUSED)
        link = find_link(token, timezone.now())
        if link is None:
            return _not_open(request)
        return view(request, link, *args, **kwargs)

    return wrapped


def _not_open(request: HttpRequest) -> HttpResponse:
    address = viewer_address(request.META, trusted_proxies=settings.TRUSTED_PROXIES)
    source = of_address("crew link", address) if address else ""
    try:
        count([Limit(source, WRONG_PER_ADDRESS, HOUR)] if source else [])
    except LimitReached as refusal:
        response = render(request, "crews/not_open.html", status=TOO_MANY_REQUESTS)
        seconds = (refusal.free_at - timezone.now()).total_seconds()
        response["Retry-After"] = str(ceil(seconds))
        return response
    return render(request, "crews/not_open.html", status=NOT_OPEN)
