"""Previews: signed, expiring tickets by which one viewer sees a release that is not live.

The edge function checks them (edge/functions/viewer_request.js): a ticket names one release, holds
for one environment until one moment, and is signed with a secret only the key-value store has.
"""

import base64
import hmac
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import quote, urlsplit

from django.conf import settings
from django.utils import timezone

from deployments.errors import Refused
from deployments.models import Environment, Release
from deployments.releases.store import check_whole
from deployments.routing.routes import read_route
from edge.behaviours import Origin, behaviour_for
from edge.protocols import Backend, KeyValueStore
from edge.routing import PREVIEW_COOKIE, PREVIEW_KEY

LONGEST = timedelta(days=30)
# What the function passes on before it looks at tickets.
_UNTOUCHED = ("/assets/", "/.well-known/")
_SAFE = "/%?#:@!$&'()*+,;=-._~"
# What the function answers with 400.
_ODD = re.compile(r"//|%2f|%5c|%(?![0-9a-f]{2})|/\.\.?(/|\Z)", re.IGNORECASE)


class NoSecret(Refused):
    """The key-value store has no secret to sign with: deleted, so that all previews end."""


@dataclass(frozen=True, slots=True)
class Preview:
    """A link that shows a release until `expires`, to whoever has it."""

    release: Release
    environment: Environment
    url: str
    expires: datetime


def preview(
    backend: Backend,
    environment: Environment,
    release: Release,
    *,
    lifetime: timedelta,
    path: str = "/",
) -> Preview:
    """Make a link; changes nothing. Raises Refused where it would not show the release."""
    _check_environment(backend.keyvalues, environment)
    if lifetime > LONGEST:
        raise Refused(
            "too-long",
            f"A link for {lifetime.days} days would outlive what it was meant for: at most "
            f"{LONGEST.days} days.",
            "Choose a shorter --expires; another link can be made any time.",
        )
    check_whole(backend.objects, release)
    address = urlsplit(_checked(path))
    expires = timezone.now().replace(microsecond=0) + lifetime
    signed = ticket(
        backend.keyvalues, environment, release, lifetime=lifetime, now=expires - lifetime
    )
    # Of two the function takes the first: a ticket pasted with the path must not be that.
    kept = [one for one in address.query.split("&") if one and not one.startswith("release=")]
    query = "&".join([*kept, f"release={signed}"])
    url = f"{site_of(backend, environment)}{address._replace(query=query).geturl()}"
    return Preview(release, environment, url, expires)


def ticket(
    store: KeyValueStore,
    environment: Environment,
    release: Release,
    *,
    lifetime: timedelta,
    now: datetime | None = None,
) -> str:
    """Sign a ticket: `<release>.<expiry, unix seconds>.<signature>`. Raises NoSecret."""
    secret = store.get(PREVIEW_KEY)
    if not secret:
        raise NoSecret(
            "no-secret",
            "The key-value store has no secret to sign previews with; the next deployment writes "
            "a new one.",
            f"Deploy something, to any environment: manage.py promote --to {environment}",
        )
    expiry = int(((now or timezone.now()) + lifetime).timestamp())
    signature = _signature(secret, f"{environment.name}.{release.name}.{expiry}")
    return f"{release.name}.{expiry}.{signature}"


def cookie(ticket: str) -> str:
    """Give the Cookie header with which the edge follows a ticket, as after its link."""
    return f"{PREVIEW_COOKIE}={ticket}"


def _signature(secret: str, text: str) -> str:
    """Sign as the edge function expects it: HMAC-SHA256 in base64url without padding."""
    digest = hmac.digest(secret.encode(), text.encode(), "sha256")
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def _check_environment(store: KeyValueStore, environment: Environment) -> None:
    """Refuse where no function follows tickets."""
    environment.check_runs_function(
        "can show one viewer another release",
        "Preview it on an environment of the pointer strategy: add --environment NAME.",
    )
    if read_route(store, environment).document is None:
        raise _nothing_deployed(environment)


def _checked(path: str) -> str:
    """Percent-encode a path as a browser does. Raises Refused where it is no page."""
    encoded = quote(path, safe=_SAFE)
    place = urlsplit(encoded).path
    is_page = encoded.startswith("/") and not encoded.startswith(("//", *_UNTOUCHED))
    if is_page and not _ODD.search(place) and behaviour_for(place).origin is Origin.STORAGE:
        return encoded
    raise Refused(
        "no-page",
        f"Expected the path of a page of the release, found '{path}'.",
        "Give a path from the first slash on, as in --path /book/; the application's pages and "
        "shared assets belong to no release.",
    )


def _nothing_deployed(environment: Environment) -> Refused:
    return Refused(
        "nothing-deployed",
        f"Nothing was deployed to {environment} yet, so no edge function is there to follow a "
        "preview.",
        f"Deploy first: manage.py push --to {environment}",
    )


def site_of(backend: Backend, environment: Environment) -> str:
    """Return the address of an environment's pages: scheme and host, without a path.

    A CDN answers the first host over https. A local edge answers all hosts at SITE_URL, so scheme
    and port are those of SITE_URL, and so is the host if it is one of the environment's. Raises
    Refused.
    """
    host, site = environment.host, urlsplit(settings.SITE_URL)
    if backend.read_snapshot is None:
        return f"https://{host}"
    if site.hostname in environment.hosts:
        host = site.hostname
    return f"{site.scheme}://{host}" + (f":{site.port}" if site.port else "")
