"""Forms that cannot be read get 400: another encoding than UTF-8, a broken boundary, too large.

Django raises an error wherever a form's fields are first read. Its error pages read them as well,
so at an address that does not exist, or for the wrong encoding at any, such a form ends in 500.
"""

from collections.abc import Callable

from django.core.exceptions import BadRequest, SuspiciousOperation
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.http.multipartparser import MultiPartParserError

View = Callable[[HttpRequest], HttpResponse]
TEXT = "Bad request: the form cannot be read.\n"


def refuse_unreadable_forms(get_response: View) -> View:
    """Return a middleware. It comes before all that read the fields of a form."""

    def answer(request: HttpRequest) -> HttpResponse:
        try:
            request.POST  # noqa: B018 - reads the fields
        except (BadRequest, MultiPartParserError, SuspiciousOperation):
            return HttpResponse(TEXT, status=400, content_type="text/plain")
        except UnreadablePostError:
            pass  # the client has gone; what needs the fields deals with it
        return get_response(request)

    return answer
