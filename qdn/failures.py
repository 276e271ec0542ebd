"""What people see when a request fails: pages that need no database, or the booking form as typed.

A page never shows the error itself, nor the address, which may hold a tracking token.
"""

import logging
import sys
from collections.abc import Callable

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation

from tracking.booking_views import unsaved_booking
from tracking.languages import language_of
from tracking.unsent import is_action, unsaved_action

# The database is down, locked for too long, full, or out of connections.
OUTAGES = (OperationalError, InterfaceError)
BAD_REQUEST, SERVER_ERROR, UNAVAILABLE = 400, 500, 503
RETRY_SECONDS = 30
# These pages are complete in themselves. The form is not, and has the policy of all other pages.
POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
logger = logging.getLogger(__name__)


class AnswerFailures:
    """Middleware that answers 503 when the database fails a view, with DEBUG on too."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if not isinstance(error, OUTAGES):
            return None
        # libpq's messages have several lines. No traceback: every request would log one.
        logger.error("The database failed a request: %s", " ".join(str(error).split()))
        return failed(request, status=UNAVAILABLE)


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer what no view answered. Django's handler500; the cause is logged already."""
    outage = isinstance(sys.exc_info()[1], OUTAGES)  # outside of views, as in saving a session
    return failed(request, status=UNAVAILABLE if outage else SERVER_ERROR)


def failed(request: HttpRequest, *, status: int) -> HttpResponse:
    """Return the answer to a failed request: for a booking or an action, with its input."""
    if request.path == reverse("tracking:book") and request.method == "POST":
        response = unsaved_booking(request, status=status)
    elif is_action(request):
        response = unsaved_action(request, status=status)
    elif request.path.startswith("/api/"):
        response = JsonResponse({"error": "This did not work. Try again."}, status=status)
    else:
        response = _failure_page(request, status)
    if status == UNAVAILABLE:
        response["Retry-After"] = str(RETRY_SECONDS)
    return response


def _failure_page(request: HttpRequest, status: int) -> HttpResponse:
    if is_office(request):
        return page(f"failures/office_{status}.html", status=status)
    with translation.override(language_of(request)):
        return page(f"failures/{status}.html", status=status)


def page(template: str, *, status: int, **context: object) -> HttpResponse:
    """Return a page that needs neither the database nor another file."""
    response = HttpResponse(render_to_string(template, context), status=status)
    response["Content-Security-Policy"] = POLICY
    response["Cache-Control"] = "no-store"
    response["Referrer-Policy"] = "no-referrer"
    return response


def is_office(request: HttpRequest) -> bool:
    """Whether a request is for the admin."""
    return request.path.startswith(reverse("admin:index"))
