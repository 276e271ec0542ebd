"""The rules of each host, for local edges: what a distribution's configuration says in AWS."""

import json
from collections.abc import Mapping

from edge.origins import ORIGIN_KEY
from edge.serving.host_functions import environment_of
from edge.serving_rules import ServingRules, header_of, is_without_application


def rules_by_host(keyvalues: Mapping[str, str]) -> dict[str, ServingRules]:
    """Return the rules of each host that has some. A header that cannot be read is left out."""
    headers: dict[str, dict[str, str]] = {}
    for key, value in keyvalues.items():
        text = _text(value) if (found := header_of(key)) else None
        if found and text is not None:
            headers.setdefault(found[0], {})[found[1]] = text
    rules = {}
    for key, value in keyvalues.items():
        environment = _served_by(key, value)
        without = is_without_application(keyvalues, environment)
        if environment in headers or without:
            host = key.partition(":")[2]
            rules[host] = ServingRules(not without, headers.get(environment, {}))
    return rules


def _text(value: str) -> str | None:
    try:
        text = json.loads(value)
    except ValueError:
        return None
    return text if isinstance(text, str) else None


def _served_by(key: str, value: str) -> str:
    """Return the environment that a host's entry names, or ""."""
    if key.startswith("host:"):
        return environment_of(value)
    # live/<environment>/
    return value.split("/")[1] if key.startswith(ORIGIN_KEY) and "/" in value else ""
