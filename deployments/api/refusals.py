"""Requests that are refused: their errors; for those without a right, their log and limit."""

import logging
import math
from datetime import timedelta

from django.conf import settings
from django.http import HttpRequest

from deployments.errors import Refused
from deployments.models import ApiToken, RefusedRequest
from edge.database_clock import database_now
from edge.viewer_address import viewer_network

UNAUTHORIZED, FORBIDDEN, TOO_MANY = 401, 403, 429
TOO_LARGE, UNSUPPORTED, UNPROCESSABLE = 413, 415, 422
# Refused requests of one network within a time; further ones get no reason and are not counted.
MOST, WITHIN = 20, timedelta(minutes=15)
KEPT = timedelta(days=90)
log = logging.getLogger(__name__)


class ApiRefused(Refused):
    """A request that is not carried out: nothing was changed. `status` is that of the answer."""

    status = 400
    retry_after = 0


class NotAuthorized(ApiRefused):
    """No valid token came with the request."""

    status = UNAUTHORIZED


class NotCovered(ApiRefused):
    """The token does not cover what was requested."""

    status = FORBIDDEN


class TooManyRefused(ApiRefused):
    """Too many requests of this network were refused."""

    status = TOO_MANY


class BodyTooLarge(ApiRefused):
    """More bytes than the API takes."""

    status = TOO_LARGE


class BodyUnsupported(ApiRefused):
    """A type of content that the API does not read."""

    status = UNSUPPORTED


class RequestInvalid(ApiRefused):
    """Parameters that make no request."""

    status = UNPROCESSABLE


class Replayed(ApiRefused):
    """A request that was accepted before."""

    status = UNPROCESSABLE


def limited(request: HttpRequest, error: ApiRefused) -> ApiRefused:
    """Return the error to answer with: TooManyRefused once a network has reached the limit.

    A valid token is not refused, so a limit cannot keep CI out whose network others use too.
    """
    now = database_now()
    recent = RefusedRequest.objects.filter(network=network_of(request), at__gt=now - WITHIN)
    times = recent.order_by("-at").values_list("at", flat=True)[MOST - 1 : MOST]
    for at in times:
        error = TooManyRefused(
            "too-many-refused",
            f"{MOST} requests from this network were refused within "
            f"{int(WITHIN.total_seconds() / 60)} minutes.",
            "Wait, and check the token (manage.py tokens list), or the secret of the webhook.",
        )
        error.retry_after = math.ceil((at + WITHIN - now).total_seconds())
    return error


def record(request: HttpRequest, error: ApiRefused, token: ApiToken | None) -> None:
    """Log a refusal and count it; over the limit they are only logged, and do not prolong it."""
    network = network_of(request)
    name = f" (token {token.pk}, {token.name})" if token else ""
    log.warning("Refused a request from %s%s: %s", network or "?", name, error.code)
    if not isinstance(error, TooManyRefused):
        RefusedRequest.objects.create(network=network, code=error.code, token=token)


def network_of(request: HttpRequest) -> str:
    """Return the network that refusals are counted for, or ""."""
    return viewer_network(request.META, trusted_proxies=settings.TRUSTED_PROXIES)


def forget() -> int:
    """Delete old rows of the log; return how many."""
    return RefusedRequest.objects.filter(at__lt=database_now() - KEPT).delete()[0]
