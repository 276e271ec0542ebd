"""What dispatchers' pages ask for."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from dispatch.board import board_document

BOARD_PAGE = "/dashboard/"


@require_safe
@cache_control(no_store=True)
def board(request: HttpRequest) -> HttpResponse:
    """Answer the board's document (board.board_document) to staff who may view jobs.

    Anybody else gets 401 with {"error", "login"} and never a redirect: the caller is a script on
    a static page, which would take the login page for an answer.
    """
    user = request.user
    if user.is_active and user.is_staff and user.has_perm("dispatch.view_job"):
        return JsonResponse(board_document(timezone.now()))
    error = "Log in as a dispatcher to see the board."
    if user.is_authenticated:
        error = "Your account may not see jobs. Log in as a dispatcher."
    login = f"{reverse('admin:login')}?next={BOARD_PAGE}"
    return JsonResponse({"error": error, "login": login}, status=401)
