"""The address that the beacon reports to. Its answer says nothing about what it thought of it.

No cookie is looked at, so the CSRF check is left out.
"""

import time
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from deployments.timings.counting import count
from deployments.timings.known import known
from deployments.timings.limit import Limit
from deployments.timings.reading import MOST_BYTES, read_view
from edge.serving.hosts import read_host
from edge.viewer_address import viewer_network

NO_CONTENT = 204
_limit = Limit()


@csrf_exempt
@never_cache
@require_POST
def receive(request: HttpRequest) -> HttpResponse:
    """Count a view's report: 204, also for what is not one, which is not counted."""
    if _is_admitted(request):
        _count(request)
    return HttpResponse(status=NO_CONTENT)


def _is_admitted(request: HttpRequest) -> bool:
    """Whether a report comes from one of our pages, is short, and is not one of too many."""
    origin = urlsplit(request.headers.get("Origin", ""))
    length = request.META.get("CONTENT_LENGTH") or "0"
    if origin.netloc != request.get_host() or not length.isdecimal() or int(length) > MOST_BYTES:
        return False
    network = viewer_network(request.META, trusted_proxies=settings.TRUSTED_PROXIES)
    return _limit.admits(network, time.monotonic())


def _count(request: HttpRequest) -> None:
    view = read_view(request.body)
    found = view and known().find(read_host(request.get_host()).name, view.release)
    if view and found:
        count(*found, view.surface, view.buckets)
