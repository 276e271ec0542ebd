"""Endpoints for the dispatchers' pages."""

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
    """Return the board's document (board.board_document) to staff who may view jobs.

    Anyone else gets 401 with {"error", "login"} rather than a redirect: the caller is a script on
    a static page, which would treat the login page as the answer.
    """
    user = request.user
    if user.is_active and user.is_staff and user.has_perm("dispatch.view_job"):
        return JsonResponse(board_document(timezone.now()))
    error = "Log in as a dispatcher to see the board."
    if user.is_authenticated:
        error = "Your account can't view jobs. Log in as a dispatcher."
    login = f"{reverse('admin:login')}?next={BOARD_PAGE}"
    return JsonResponse({"error": error, "login": login}, status=401)
