"""What is left to do after `provision`: what only the operator can do, and the next command."""

from collections.abc import Collection, Iterator
from typing import Any

from django.conf import settings

from deployments.models import Environment, Strategy
from edge.functions.shipped import function_name


def next_steps(environment: Environment, *, known: Collection[str]) -> Iterator[str]:
    """Name the steps; `known` are the hosts the environment had before."""
    yield from _settings_to_set(environment)
    new = [host for host in environment.hosts if host not in known]
    for host in environment.stack.get("aliases", []):
        if host in new:
            domain = environment.stack["outputs"]["DistributionDomain"]
            yield f"point {host} at {domain} (CNAME or alias record)"
    if _serves_otherwise(environment):
        yield from strategy_steps(environment)
    elif environment.live is None or new:
        # Its routing documents lack the new hosts until then.
        yield _deploy_command(environment)


def strategy_steps(environment: Environment) -> Iterator[str]:
    """Name the steps until an environment is served by its strategy, so that viewers miss nothing.

    What is copied is there before a distribution is led to it; the function runs before a
    deployment looks whether it answers.
    """
    if not _serves_otherwise(environment):
        return
    ids = ", ".join(row.remote_id for row in environment.distributions.all())
    prefix, function = environment.copy_prefix.rstrip("/"), function_name(environment.name)
    by_copy = environment.strategy == Strategy.COPY
    if ids and not by_copy:
        yield f"in {ids}: take the origin path away, associate {function} with viewer requests"
    yield _deploy_command(environment)
    if ids and by_copy:
        yield f"in {ids}: give the pages' origin the origin path /{prefix}, then run that again"
    if ids:
        yield f'manage.py invalidate "/*" --environment {environment} --yes'


def _serves_otherwise(environment: Environment) -> bool:
    """Tell whether the last deployment was by another strategy than the next one."""
    live = environment.live
    return environment.strategy != (live.strategy if live else Strategy.POINTER)


def _deploy_command(environment: Environment) -> str:
    live = environment.live
    if live:
        return f"manage.py promote --release {live.release} --to {environment} --yes"
    return f"manage.py {'promote' if environment.protected else 'push'} --to {environment}"


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
