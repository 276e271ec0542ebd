"""Tokens: issued for some environments and actions, checked with each request, revoked."""

import logging
from collections.abc import Iterable
from datetime import timedelta

from django.db import transaction
from django.db.models import Q
from django.http import HttpRequest

from deployments.api.refusals import NotAuthorized, NotCovered
from deployments.api.token_text import is_genuine, make_token, sha256_of
from deployments.errors import Refused
from deployments.models import ApiToken, Environment
from edge.database_clock import database_now

LONGEST = timedelta(days=366)
LONGEST_NAME = 100
# `last_used_at` is not written with each request of a client that polls.
USED_WITHIN = timedelta(minutes=1)
MAKE_ONE = "Make a token: manage.py tokens add"
log = logging.getLogger(__name__)


def issue(
    *,
    name: str,
    environments: Iterable[Environment],
    actions: Iterable[str],
    lasts: timedelta,
    actor: str,
) -> tuple[ApiToken, str]:
    """Make a token. Return its row and its text, which is not kept. Raises Refused."""
    check_new(name=name, lasts=lasts)
    text = make_token()
    with transaction.atomic():
        token = ApiToken.objects.create(
            name=name,
            sha256=sha256_of(text),
            actions=sorted(set(actions)),
            expires_at=database_now() + lasts,
            created_by=actor,
        )
        token.environments.set(environments)
    log.info("%s made token %s, %s", actor, token.pk, token)
    return token, text


def check_new(*, name: str, lasts: timedelta) -> None:
    """Raise Refused for a name or a duration that a token cannot have."""
    if not (name and name.isprintable() and len(name) <= LONGEST_NAME):
        raise Refused(
            "token-name",
            f"A token needs a name of 1 to {LONGEST_NAME} printable characters.",
            "Name the program that will use it.",
        )
    if lasts > LONGEST:
        raise Refused(
            "token-lasts",
            f"A token is valid for {LONGEST.days} days at most, not {lasts.days}.",
            "Make another one before it expires.",
        )


def token_numbered(number: int) -> ApiToken:
    """Return a token by its number. Raises Refused."""
    found = ApiToken.objects.filter(pk=number).first()
    if found is None:
        raise Refused(
            "token-unknown", f"No token has the number {number}.", "See: manage.py tokens list"
        )
    return found


def revoke(token: ApiToken, *, actor: str) -> bool:
    """End a token at once. Return False if it was revoked before."""
    rows = ApiToken.objects.filter(pk=token.pk, revoked_at=None)
    is_new = bool(rows.update(revoked_at=database_now()))
    if is_new:
        log.info("%s revoked token %s, %s", actor, token.pk, token)
    return is_new


def find_token(request: HttpRequest) -> ApiToken | None:
    """Return the token that a request carries, valid or not. Cookies do not count."""
    text = _text(request)
    if not is_genuine(text):  # without the database
        return None
    return ApiToken.objects.filter(sha256=sha256_of(text)).first()


def check_valid(request: HttpRequest, token: ApiToken | None) -> ApiToken:
    """Raise NotAuthorized unless the token is valid. Record its use."""
    if token is None:
        raise _without_token(_text(request))
    if token.state != "valid":
        past = "expired" if token.state == "expired" else "was revoked"
        raise NotAuthorized("token-ended", f"The token {past}.", MAKE_ONE)
    now = database_now()
    unused = Q(last_used_at=None) | Q(last_used_at__lt=now - USED_WITHIN)
    ApiToken.objects.filter(unused, pk=token.pk).update(last_used_at=now)
    return token


def check_covers(token: ApiToken, environment: Environment | None, action: str = "") -> None:
    """Raise NotCovered unless a token may request an action in an environment.

    An unknown environment is refused in the same words, so tokens do not reveal names.
    """
    if environment is None or not token.environments.filter(pk=environment.pk).exists():
        raise NotCovered(
            "token-environment", "The token is not for this environment.", "Use another token."
        )
    if action and action not in token.actions:
        raise NotCovered(
            "token-action",
            f"The token is not for '{action}', but for {', '.join(token.actions) or 'nothing'}.",
            "Use another token.",
        )


def _text(request: HttpRequest) -> str:
    scheme, _, text = request.headers.get("Authorization", "").partition(" ")
    return text.strip() if scheme.lower() == "bearer" else ""


def _without_token(text: str) -> NotAuthorized:
    if not text:
        return NotAuthorized(
            "token-missing",
            "The request has no token.",
            "Send it in the header: Authorization: Bearer qdn_...",
        )
    return NotAuthorized("token-invalid", "This installation knows no such token.", MAKE_ONE)
