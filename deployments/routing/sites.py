"""The keys that hold the site documents and rules of releases.

They are written with a release, before anything points to it, and removed with it.
"""

import json
from collections.abc import Iterable, Mapping
from itertools import islice

from deployments.errors import Refused
from deployments.models import Environment, Release
from deployments.releases.site import read_rules
from deployments.routing.keys import update_keys
from edge.protocols import Backend
from edge.sites import site_key, site_prefixes, spread

# In the source of every function that reads site documents.
SITE_KEY = site_key("")


def check_function_reads(source: str, release: Release, environment: Environment) -> None:
    """Refuse a release with a site document to a function that does not read it. Raises Refused."""
    if release.site and SITE_KEY not in source:
        raise Refused(
            "function-too-old",
            f"{release} has a site document, which the edge function of {environment} does not "
            "read.",
            f"Publish today's first: manage.py push_functions --environment {environment}",
        )


def site_values(backend: Backend, release: Release) -> dict[str, str]:
    """Return the keys that a release needs, with their values. Raises Refused, EdgeError."""
    if not release.site:
        return {}
    _, _, values = spread(release.name, read_rules(backend.objects, release))
    document = json.dumps(release.site, separators=(",", ":"), sort_keys=True)
    return {site_key(release.name): document, **values}


def differing_site_keys(
    backend: Backend, release: Release, stored: Mapping[str, str]
) -> dict[str, str]:
    """Return the keys of a release that differ from those stored, with what they should hold.

    Raises Refused, EdgeError.
    """
    wanted = site_values(backend, release)
    return {key: value for key, value in wanted.items() if stored.get(key) != value}


def write_site(backend: Backend, release: Release) -> int:
    """Write the keys of a release that differ; return how many. Raises Refused, EdgeError."""
    if not release.site:
        return 0
    puts = differing_site_keys(backend, release, backend.keyvalues.items())
    rows = iter(puts.items())
    while batch := dict(islice(rows, backend.limits.update_keys)):
        update_keys(backend.keyvalues, puts=batch)
    return len(puts)


def remove_sites(backend: Backend, releases: Iterable[Release]) -> int:
    """Remove the keys of releases; return how many. Raises EdgeError."""
    prefixes = tuple(prefix for one in releases if one.site for prefix in site_prefixes(one.name))
    if not prefixes:
        return 0
    gone = [key for key in backend.keyvalues.items() if key.startswith(prefixes)]
    keys = iter(gone)
    while batch := list(islice(keys, backend.limits.update_keys)):
        update_keys(backend.keyvalues, deletes=batch)
    return len(gone)
