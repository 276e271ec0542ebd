"""The language of a customers' page. Office pages are in settings.LANGUAGE_CODE, English."""

from collections.abc import Callable
from functools import wraps

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import translation
from django.utils.cache import patch_vary_headers

from dispatch.languages import LANGUAGES

View = Callable[..., HttpResponse]


def language_of(request: HttpRequest) -> str:
    """Return the code of the language to answer in: asked for, posted, or the browser's first.

    A job's page is in the job's language instead.
    """
    asked = (request.GET.get("lang"), request.POST.get("language"))
    for code in asked:
        if code in LANGUAGES:
            return code
    preferred = translation.get_language_from_request(request)
    return preferred if preferred in LANGUAGES else settings.LANGUAGE_CODE[:2]


def in_their_language(view: View) -> View:
    """Run a view in the language of its request, and leave it afterwards."""

    @wraps(view)
    def wrapped(request: HttpRequest, *args: str, **kwargs: str) -> HttpResponse:
        with translation.override(language_of(request)):
            response = view(request, *args, **kwargs)
        patch_vary_headers(response, ["Accept-Language"])
        return response

    return wrapped
