"""What to change of an environment, checked before anything is."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from deployments.environments.headers import merged_headers
from deployments.errors import Refused
from deployments.models import Access, Environment, Strategy
from edge.access import password_digest

NAME = re.compile(r"[a-z][a-z0-9-]{0,29}")
_LABEL = "[a-z0-9][a-z0-9-]{0,62}"
HOST = re.compile(rf"(?=.{{1,253}}\Z){_LABEL}(\.{_LABEL})*")
SHORTEST_PASSWORD = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """New values of an environment's fields; None keeps one.

    `headers` are added to its own: an empty value removes a default header, None the own one.
    `canonical` is empty for none, and `canary_margin` 0. `credentials` are a user name and a
    password.
    """

    hosts: tuple[str, ...] | None = None
    strategy: str | None = None
    protected: bool | None = None
    application: bool | None = None
    canonical: str | None = None
    headers: Mapping[str, str | None] | None = None
    access: str | None = None
    credentials: tuple[str, str] | None = None
    noindex: bool | None = None
    canary_margin: int | None = None

    def fields(self, environment: Environment) -> dict[str, Any]:
        """Return the fields that get another value, checked. Raises Refused."""
        wanted: dict[str, Any] = {
            "hosts": None if self.hosts is None else _hosts(environment, self.hosts),
            "strategy": self.strategy,
            "protected": self.protected,
            "application": self.application,
            "canonical": None if self.canonical is None else self.canonical.lower(),
            "headers": self.headers and merged_headers(environment.headers, self.headers),
            "access": self.access,
            "password": self.credentials and _password(*self.credentials),
            "noindex": self.noindex,
        }
        changed = {
            name: value
            for name, value in wanted.items()
            if value is not None and value != getattr(environment, name)
        }
        margin = environment.canary_margin if self.canary_margin is None else self.canary_margin
        if (margin or None) != environment.canary_margin:
            changed["canary_margin"] = margin or None
        _check_together(environment, changed)
        return changed


def check_name(name: str) -> None:
    """Refuse what cannot name an environment. Raises Refused."""
    if not NAME.fullmatch(name):
        raise Refused(
            "environment-name",
            f"Expected at most 30 lower-case letters, digits and hyphens, found '{name}'.",
            "Choose a name such as 'docs-staging'.",
        )


def _hosts(environment: Environment, hosts: tuple[str, ...]) -> list[str]:
    wanted = [host.lower() for host in hosts]
    for host in wanted:
        if not HOST.fullmatch(host):
            raise Refused(
                "host-invalid",
                f"Expected a host name without scheme and port, found '{host}'.",
                "Write for example: --host docs.example.com",
            )
        if host.endswith(f".{settings.PREVIEW_DOMAIN}"):
            raise Refused(
                "host-taken",
                f"Hosts below {settings.PREVIEW_DOMAIN} are for branches, found '{host}'.",
                "Use another host, or change the setting PREVIEW_DOMAIN.",
            )
    environment.check_free(wanted)
    return list(dict.fromkeys(wanted))


def _password(user: str, password: str) -> str:
    if not user or ":" in user or not user.isprintable():
        raise Refused(
            "user-invalid",
            f"Expected a user name without colons, found '{user}'.",
            "Choose another one with --user.",
        )
    if len(password) < SHORTEST_PASSWORD:
        raise Refused(
            "password-short",
            f"Expected a password of at least {SHORTEST_PASSWORD} characters, found "
            f"{len(password)}: the edge cannot slow down guesses.",
            "Choose a longer one.",
        )
    return password_digest(user, password)


def _check_together(environment: Environment, changed: Mapping[str, Any]) -> None:
    """Refuse values that contradict each other. Raises Refused."""
    now = {
        name: changed.get(name, getattr(environment, name))
        for name in ("hosts", "canonical", "access", "password", "strategy")
    }
    if now["canonical"] and now["canonical"] not in now["hosts"]:
        raise Refused(
            "canonical-unknown",
            f"The canonical host {now['canonical']} is not a host of {environment}: "
            f"{', '.join(now['hosts']) or 'it has none'}.",
            "Give it with --host too, or use --canonical '' for none.",
        )
    if now["access"] == Access.PASSWORD and not now["password"]:
        raise Refused(
            "password-missing",
            f"{environment} has no password.",
            "Give it with --user NAME --password-from-env VARIABLE.",
        )
    if now["strategy"] == Strategy.COPY and (now["canonical"] or now["access"] != Access.OPEN):
        raise Refused(
            "no-function",
            f"{environment} is deployed by copy: no edge function redirects hosts or asks for a "
            "password.",
            "Use --access open and --canonical '', or --strategy pointer.",
        )
