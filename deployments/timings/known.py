"""Which releases an environment's pages can come from; other names are not counted."""

import time
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta

from django.db import DatabaseError

from deployments.models import Deployment, Environment
from edge.database_clock import database_now

# How long an open page may be from a release that was replaced.
OPEN_FOR = timedelta(days=2)
# Names are looked up this often, in seconds, however many reports arrive.
GOOD_FOR = 10


@dataclass(frozen=True, slots=True)
class Known:
    """Ids of environments by host, and of their releases by environment and name."""

    environments: dict[str, int]
    releases: dict[tuple[int, str], int]
    until: float

    def find(self, host: str, release: str) -> tuple[int, int] | None:
        """Return the ids of a host's environment and of a release that it serves or served."""
        environment = self.environments.get(host)
        if environment is None:
            return None
        found = self.releases.get((environment, release))
        return None if found is None else (environment, found)


_known = Known({}, {}, until=0)


def known() -> Known:
    """Return what is known, looked up at most GOOD_FOR ago, or before an outage."""
    global _known  # noqa: PLW0603 - one per process
    if time.monotonic() >= _known.until:
        until = time.monotonic() + GOOD_FOR
        _known = replace(_known, until=until)  # others neither look it up too, nor wait
        with suppress(DatabaseError):
            _known = Known(*_look_up(), until)
    return _known


def forget() -> None:
    """Look everything up at the next report."""
    global _known  # noqa: PLW0603
    _known = Known({}, {}, until=0)


def _look_up() -> tuple[dict[str, int], dict[tuple[int, str], int]]:
    environments: dict[str, int] = {}
    releases: dict[tuple[int, str], int] = {}
    for environment in Environment.objects.all():
        environments |= dict.fromkeys(environment.hosts, environment.pk)
        for one in _served(environment):
            releases[environment.pk, one.release.name] = one.release_id
    return environments, releases


def _served(environment: Environment) -> list[Deployment]:
    """Return the deployments whose pages may be open: live, canary, and those replaced lately."""
    since = database_now() - OPEN_FOR
    lately = environment.deployments.succeeded().filter(at__gte=since).select_related("release")
    before = environment.deployments.switched().filter(at__lt=since).select_related("release")
    found = [*lately, before.last(), environment.canary]
    return [one for one in found if one]
