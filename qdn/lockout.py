"""The login's lock-out: what counts together, when it ends, and the page that says so.

django-axes counts wrong passwords in the database. A user name is locked at one address only, so
that no one can lock a dispatcher out from elsewhere, nor one user a whole office. A higher limit
per address stops those who try many names.
"""

import math
from datetime import datetime, timedelta
from typing import Any

from axes.handlers.database import AxesDatabaseHandler
from django.conf import settings
from django.contrib import admin
from django.db.models import Max, QuerySet, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.cache import add_never_cache_headers

from edge.viewer_address import viewer_network

TOO_MANY_REQUESTS = 429
# Behind a Unix socket without a proxy's header no address is known. Not null: databases take every
# null for another value, so parallel logins would insert the same row twice.
UNKNOWN = "0.0.0.0"  # noqa: S104 - an address to compare, not to listen on

Credentials = dict[str, Any] | None


def client_address(request: HttpRequest) -> str:
    """Return the address that failures are counted for: the network's first one for IPv6."""
    return viewer_network(request.META, trusted_proxies=settings.TRUSTED_PROXIES) or UNKNOWN


class LockoutHandler(AxesDatabaseHandler):  # type: ignore[misc]
    """Counts failures by user name and address, and by address with a limit of its own.

    The two sets of attempts are those of settings.AXES_LOCKOUT_PARAMETERS, in that order.
    """

    def get_failures(self, request: HttpRequest, credentials: Credentials = None) -> int:
        """Return the number that axes compares with AXES_FAILURE_LIMIT."""
        by_user, by_address = map(_failures, self.get_user_attempts(request, credentials))
        return max(by_user, by_address // settings.LOCKOUT_ADDRESS_FACTOR)

    def reset_user_attempts(self, request: HttpRequest, credentials: Credentials = None) -> int:
        """Forget the failures of a user who logged in, at this address.

        Those of other names stay: a user who logs in could otherwise keep trying them.
        """
        by_user, _ = self.filter_user_attempts(request, credentials)
        deleted: int = by_user.delete()[0]
        return deleted

    def locked_until(self, request: HttpRequest, credentials: Credentials) -> datetime:
        """Return when the last failure that locks this login stops counting."""
        by_user, by_address = self.get_user_attempts(request, credentials)
        locks = by_user if _failures(by_user) >= settings.AXES_FAILURE_LIMIT else by_address
        last: datetime = locks.aggregate(last=Max("attempt_time"))["last"] or timezone.now()
        return last + settings.AXES_COOLOFF_TIME


def locked_out(
    request: HttpRequest, response: HttpResponse, credentials: Credentials
) -> HttpResponse:
    """Say that logging in is paused, until when, and whom to ask."""
    until = LockoutHandler().locked_until(request, credentials)
    context = {
        **admin.site.each_context(request),
        "title": "Too many wrong passwords",
        "minutes": int(settings.AXES_COOLOFF_TIME.total_seconds() // 60),
        "until": until + timedelta(minutes=1),  # shown to the minute
    }
    page = render(request, "admin/locked_out.html", context, status=TOO_MANY_REQUESTS)
    page["Retry-After"] = str(math.ceil((until - timezone.now()).total_seconds()))
    add_never_cache_headers(page)
    return page


def _failures(attempts: QuerySet[Any]) -> int:
    return attempts.aggregate(sum=Sum("failures_since_start"))["sum"] or 0
