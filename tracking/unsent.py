"""What a customer typed about a job, when it could not be taken: kept, to be sent again.

The form's key goes with it, so what was saved after all counts once.
"""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from tracking.languages import in_their_language
from tracking.private_pages import private

ACTIONS = frozenset({"move", "cancel", "pickup", "price", "photos", "gate"})
# What people write themselves, and want to see again.
WORDS = ("words", "note", "code")
# Asked for again each time.
NOT_KEPT = "digits"


def is_action(request: HttpRequest) -> bool:
    """Whether the request has sent the form of an action."""
    match = request.resolver_match
    return request.method == "POST" and match is not None and match.url_name in ACTIONS


def typed(request: HttpRequest) -> list[tuple[str, str]]:
    """Return the names and values that were sent, but for files and digits."""
    lists = request.POST.lists()
    return [(name, str(one)) for name, values in lists if name != NOT_KEPT for one in values]


@in_their_language
def unsaved_action(request: HttpRequest, *, status: int) -> HttpResponse:
    """Return what was sent, to be sent again after a failure. Needs no database."""
    return unsent_page(request, path=request.path, has_failed=True, status=status)


@private
def unsent_page(
    request: HttpRequest, *, path: str, has_failed: bool = False, status: int = 200
) -> HttpResponse:
    """Return a page with what was typed and a button that sends it to `path`."""
    kept = typed(request)
    context = {
        "path": path,
        "kept": kept,
        "words": [value for name, value in kept if name in WORDS and value.strip()],
        "has_failed": has_failed,
        "photos_again": bool(request.FILES) or "photos" in path.split("/"),
    }
    return render(request, "tracking/unsent.html", context, status=status)
