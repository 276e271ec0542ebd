"""What the pages below /t/ have in common."""

from collections.abc import Callable
from functools import wraps

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from tracking.languages import in_their_language

PRIVATE = {
    "Cache-Control": "private, no-store",
    # With no-referrer, older browsers would send `Origin: null` with our own forms.
    "Referrer-Policy": "same-origin",
    "X-Robots-Tag": "noindex",
}
View = Callable[..., HttpResponse]


def private(view: View) -> View:
    """Keep private pages out of caches, search engines and other sites' logs."""

    @wraps(view)
    def wrapped(request: HttpRequest, *args: str, **kwargs: str) -> HttpResponse:
        response = view(request, *args, **kwargs)
        for name, value in PRIVATE.items():
            response[name] = value
        return response

    return wrapped


@private
@in_their_language
def inactive_page(request: HttpRequest) -> HttpResponse:
    """Return the answer to a link that opens no job."""
    return render(request, "tracking/inactive.html", status=404)
