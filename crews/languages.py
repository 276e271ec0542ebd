"""The language of a crew's page: the one that was chosen on this phone, or the browser's first."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import translation

from dispatch.languages import LANGUAGES
from tracking.languages import language_of

COOKIE = "crew_language"
YEAR_SECONDS = 365 * 24 * 60 * 60
View = Callable[..., HttpResponse]


def in_crew_language(view: View) -> View:
    """Run a view in the language of its request, and keep the one that `?lang=` chooses."""

    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        with translation.override(crew_language(request)):
            response = view(request, *args, **kwargs)
        if (chosen := request.GET.get("lang")) in LANGUAGES:
            _keep(response, str(chosen))
        return response

    return wrapped


def crew_language(request: HttpRequest) -> str:
    """Return the code of the language to answer in."""
    kept = request.COOKIES.get(COOKIE)
    if kept in LANGUAGES and request.GET.get("lang") not in LANGUAGES:
        return str(kept)
    return language_of(request)


def _keep(response: HttpResponse, language: str) -> None:
    response.set_cookie(
        COOKIE,
        language,
        max_age=YEAR_SECONDS,
        path="/crew/",
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
