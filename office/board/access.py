"""Who may read the board and act on it, and the answers to all others.

Answers are JSON, for the caller is a script on a static page: a login page in place of data, or an
error page, would be of no use to it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.middleware.csrf import CsrfViewMiddleware, get_token
from django.urls import reverse
from django.views.decorators.cache import cache_control
from django.views.decorators.csrf import csrf_exempt

BOARD_PAGE = "/dashboard/"
VIEW, CHANGE = "dispatch.view_job", "dispatch.change_job"
View = Callable[..., HttpResponse]


@dataclass(frozen=True, slots=True)
class Viewer:
    """An account that looks at the board: its name, and whether it has a permission."""

    name: str
    may: Callable[[str], bool]


def viewer_of(request: HttpRequest) -> Viewer:
    """Return the account of a request."""
    return Viewer(request.user.get_username(), lambda permission: may(request, permission))


def for_readers(view: View) -> View:
    """Let staff who may view jobs in; anyone else gets 401 with {"error", "login"}.

    Every 200 has the token that acts need in the header X-CSRFToken.
    """

    @wraps(view)
    @cache_control(no_store=True)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not may(request, VIEW):
            return _not_signed_in(request)
        token = get_token(request)
        answer = view(request, *args, **kwargs)
        if answer.status_code == 200:  # noqa: PLR2004
            answer["X-CSRFToken"] = token
        return answer

    return guarded


def for_actors(view: View) -> View:
    """Let staff who may change jobs in, if the request has the token of their session.

    Without a session the answer is 401, as for readers; without the token, or without the
    permission, 403 with {"code", "error", "hint"}.
    """

    @csrf_exempt  # only to check the token here, after the session: an expired one is not forged
    @wraps(view)
    @cache_control(no_store=True)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not may(request, VIEW):
            return _not_signed_in(request)
        if _forged(request):
            return _forbidden("csrf", "The page was open for too long.", "Reload it and try again.")
        if not may(request, CHANGE):
            hint = "Ask for the group Dispatchers."
            return _forbidden("permission", "Your account can't change jobs.", hint)
        return view(request, *args, **kwargs)

    return guarded


def may(request: HttpRequest, permission: str) -> bool:
    """Whether the request comes from staff with the permission."""
    user = request.user
    return user.is_active and user.is_staff and user.has_perm(permission)


def _not_signed_in(request: HttpRequest) -> HttpResponse:
    error = "Log in as a dispatcher to see the board."
    if request.user.is_authenticated:
        error = "Your account can't view jobs. Log in as a dispatcher."
    login = f"{reverse('admin:login')}?next={BOARD_PAGE}"
    return JsonResponse({"error": error, "login": login}, status=401)


def _forbidden(code: str, error: str, hint: str) -> HttpResponse:
    return JsonResponse({"code": code, "error": error, "hint": hint}, status=403)


class _Check(CsrfViewMiddleware):
    """Django's check, which returns the reason of a refusal in place of a page."""

    def _reject(self, request: HttpRequest, reason: str) -> Any:
        return reason


def _forged(request: HttpRequest) -> bool:
    check = _Check(lambda request: HttpResponse())
    check.process_request(request)
    return check.process_view(request, None, (), {}) is not None  # type: ignore[arg-type]
