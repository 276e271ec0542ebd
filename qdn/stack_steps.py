"""What is left to do after `provision`: what only the operator can do, and the next command."""

from collections.abc import Collection, Iterator
from typing import Any

from django.conf import settings

from deployments.models import Environment


def next_steps(environment: Environment, *, known: Collection[str]) -> Iterator[str]:
    """Name the steps; `known` are the hosts the environment had before."""
    yield from _settings_to_set(environment)
    new = [host for host in environment.hosts if host not in known]
    for host in environment.stack.get("aliases", []):
        if host in new:
            domain = environment.stack["outputs"]["DistributionDomain"]
            yield f"point {host} at {domain} (CNAME or alias record)"
    live = environment.live
    if live is None:
        command = "promote" if environment.protected else "push"
        yield f"manage.py {command} --to {environment}"
    elif new:
        # Its routing documents lack the new hosts until then.
        yield f"manage.py promote --release {live.release} --to {environment} --yes"


def _settings_to_set(environment: Environment) -> Iterator[str]:
    outputs = _outputs(environment)
    wanted = {
        "EDGE_BACKEND": "aws",
        "EDGE_BUCKET": outputs.get("Bucket", settings.EDGE_BUCKET),
        "EDGE_KEY_VALUE_STORE": outputs.get("KeyValueStoreName", settings.EDGE_KEY_VALUE_STORE),
    }
    missing = {name: text for name, text in wanted.items() if getattr(settings, name) != text}
    if missing:
        yield "set " + " ".join(f"{name}={text}" for name, text in missing.items())


def _outputs(environment: Environment) -> dict[str, str]:
    """Read the outputs of its stack; an adopted one uses what another stack made."""
    others = Environment.objects.exclude(stack={})
    stack: dict[str, Any] = environment.stack or next((other.stack for other in others), {})
    return dict(stack.get("outputs", {}))
