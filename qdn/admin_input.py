"""Values that the admin cannot use get 400 instead of an error in the database.

Any field may be a filter in the address of a list, with any value, and a form may hold anything:
only what the admin's own pages send is checked by their forms.
"""

import logging
from collections.abc import Callable, Iterator
from typing import Any

from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.options import TO_FIELD_VAR
from django.contrib.admin.views.main import SEARCH_VAR
from django.core.exceptions import ValidationError
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, QueryDict

from qdn.failures import BAD_REQUEST, OUTAGES, is_office, page

# SQLite refuses a condition with a thousand parts, and a text of 50,000 characters to look for.
MOST_WORDS, MOST_CHARACTERS = 30, 8_000
# No link of the admin has these: a wrong expression or a lone bound fails the query.
REFUSED_LOOKUPS = {"range", "regex", "iregex"}
# What Django and the databases raise for a filter's value.
UNUSABLE = (DatabaseError, ValueError, OverflowError, TypeError, IndexError)
logger = logging.getLogger(__name__)


class RefuseUnusableInput:
    """Middleware for the admin's pages."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Any, args: Any, kwargs: Any
    ) -> HttpResponse | None:
        if not is_office(request):
            return None
        admin = getattr(view, "model_admin", None)  # Django's own pages of a model have it
        return _refused(request) if any(_faults(request, admin)) else None

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Answer for a list whose address has a filter that cannot be applied."""
        filtered = request.GET and (_is_list(request) or _is_export(request))
        if not (filtered and isinstance(error, UNUSABLE)) or isinstance(error, OUTAGES):
            return None
        # With the traceback, for it may be a fault in the list after all.
        logger.warning("A filter cannot be applied.", exc_info=error)
        return _refused(request)


def _faults(request: HttpRequest, admin: Any) -> Iterator[bool]:
    yield "\x00" in request.path or _has_nul(request.GET) or _has_nul(request.POST)
    yield len(request.META["QUERY_STRING"]) > MOST_CHARACTERS
    yield len(request.GET.get(SEARCH_VAR, "").split()) > MOST_WORDS
    yield any(REFUSED_LOOKUPS & set(name.split("__")) for name in request.GET)
    yield "" in (request.GET.get(TO_FIELD_VAR), request.POST.get(TO_FIELD_VAR))
    if admin is not None:
        chosen = request.POST.getlist(ACTION_CHECKBOX_NAME)
        yield not all(_is_key(value, admin.model) for value in chosen)


def _is_list(request: HttpRequest) -> bool:
    match = request.resolver_match
    return (
        request.method == "GET"
        and match is not None
        and (match.url_name or "").endswith("_changelist")
    )


def _is_export(request: HttpRequest) -> bool:
    match = request.resolver_match
    return match is not None and match.view_name == "office:export"


def _has_nul(data: QueryDict) -> bool:
    return any("\x00" in text for name, values in data.lists() for text in (name, *values))


def _is_key(value: str, model: Any) -> bool:
    """Whether a row can have the primary key."""
    try:
        model._meta.pk.clean(value, None)
    except ValidationError:
        return False
    return True


def _refused(request: HttpRequest) -> HttpResponse:
    path = "/admin/" if "\x00" in request.path else request.path
    template = "failures/office_400.html"
    return page(template, status=BAD_REQUEST, path=path, most_words=MOST_WORDS)
