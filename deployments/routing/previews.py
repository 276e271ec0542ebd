"""Previews: signed, expiring tickets that show one viewer a release that is not live.

The edge function checks them (edge/functions/viewer_request.js). A ticket names a release, is valid
in one environment until it expires, and is signed with a secret that only the key-value store has.
"""

import base64
import hmac
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import quote, urlsplit

from django.conf import settings

from deployments.errors import Refused
from deployments.models import Environment, Release
from deployments.releases.store import check_whole
from deployments.routing.routes import read_route
from edge.behaviours import Origin, behaviour_for
from edge.database_clock import database_now
from edge.protocols import Backend, KeyValueStore
from edge.routing import PREVIEW_COOKIE, PREVIEW_KEY

LONGEST = timedelta(days=30)
# The function passes hashed names in here on before it looks at tickets.
_UNTOUCHED = ("/assets/",)
_SAFE = "/%?#:@!$&'()*+,;=-._~"
# The function answers these with 400.
_ODD = re.compile(r"//|%2f|%5c|%(?![0-9a-f]{2})|/\.\.?(/|\Z)", re.IGNORECASE)


class NoSecret(Refused):
    """The key-value store has no signing secret. Deleting it ends all previews."""


@dataclass(frozen=True, slots=True)
class Preview:
    """A link that shows a release until `expires` to anyone who has it."""

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
    """Return a link to a release; changes nothing. Raises Refused if it would not work."""
    _check_environment(backend.keyvalues, environment)
    if lifetime > LONGEST:
        raise Refused(
            "too-long",
            f"A preview link is valid for at most {LONGEST.days} days; found {lifetime.days} days.",
            "Choose a shorter --expires. You can create another link at any time.",
        )
    check_whole(backend.objects, release)
    address = urlsplit(_checked(path))
    expires = database_now().replace(microsecond=0) + lifetime
    signed = ticket(
        backend.keyvalues, environment, release, lifetime=lifetime, now=expires - lifetime
    )
    # The function uses the first ticket, so remove one that was pasted with the path.
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
        raise _no_secret(environment)
    expiry = int(((now or database_now()) + lifetime).timestamp())
    signature = _signature(secret, f"{environment.name}.{release.name}.{expiry}")
    return f"{release.name}.{expiry}.{signature}"


def _no_secret(environment: Environment) -> NoSecret:
    live = environment.live
    again = f"promote --release {live.release}" if live else "push"
    return NoSecret(
        "no-secret",
        "The key-value store has no secret to sign previews; the next deployment creates one.",
        f"Deploy what is live again: manage.py {again} --to {environment}",
    )


def cookie(ticket: str) -> str:
    """Return the Cookie header of a viewer who opened a ticket's link."""
    return f"{PREVIEW_COOKIE}={ticket}"


def _signature(secret: str, text: str) -> str:
    """Return the signature that the edge function expects: HMAC-SHA256, base64url, no padding."""
    digest = hmac.digest(secret.encode(), text.encode(), "sha256")
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def _check_environment(store: KeyValueStore, environment: Environment) -> None:
    """Refuse an environment where no function follows tickets. Raises Refused."""
    environment.check_runs_function(
        "can show a preview",
        "Preview it in an environment with the pointer strategy: add --environment NAME.",
    )
    if read_route(store, environment).document is None:
        raise _nothing_deployed(environment)


def _checked(path: str) -> str:
    """Percent-encode a path as a browser does. Raises Refused if it is not a page's."""
    encoded = quote(path, safe=_SAFE)
    place = urlsplit(encoded).path
    is_page = encoded.startswith("/") and not encoded.startswith(("//", *_UNTOUCHED))
    if is_page and not _ODD.search(place) and behaviour_for(place).origin is Origin.STORAGE:
        return encoded
    raise Refused(
        "no-page",
        f"Expected the path of a page in the release, found '{path}'.",
        "Start the path with a slash, as in --path /book/. The application's pages and shared "
        "assets cannot be previewed.",
    )


def _nothing_deployed(environment: Environment) -> Refused:
    return Refused(
        "nothing-deployed",
        f"Nothing has been deployed to {environment}: it has no edge function to show a preview.",
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
