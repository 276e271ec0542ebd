"""Which edge function answers a host."""

import json
from collections.abc import Mapping

from edge.functions.shipped import function_name


def functions_by_host(keyvalues: Mapping[str, str], functions: Mapping[str, str]) -> dict[str, str]:
    """Return the source of each host's function, by the environment of its routing document."""
    found = {}
    for key, value in keyvalues.items():
        kind, _, host = key.partition(":")
        source = functions.get(function_name(environment_of(value))) if kind == "host" else None
        if source:
            found[host] = source
    return found


def environment_of(document: str) -> str:
    """Return the environment of a routing document, or an empty text if it is malformed."""
    try:
        return str(json.loads(document)["e"])
    except (ValueError, KeyError, TypeError):
        return ""  # the function answers this host with 503
