"""What is left to do after `provision`: what only the operator can do, and the next command."""

from collections.abc import Collection, Iterator

from django.conf import settings

from deployments.models import Environment, Strategy
from edge.functions.shipped import function_name


def next_steps(environment: Environment, hosts_before: Collection[str]) -> Iterator[str]:
    """Yield what only the operator can do, and the next command.

    `hosts_before` had the aliases of the stack too.
    """
    yield from _settings_to_set(environment)
    new = [host for host in environment.hosts if host not in hosts_before]
    for host in environment.stack.get("aliases", []):
        if host not in hosts_before:
            domain = environment.stack["outputs"]["DistributionDomain"]
            yield f"point {host} at {domain} (CNAME or alias record)"
    if _is_served_otherwise(environment):
        yield from strategy_steps(environment)
    elif environment.live is None or new:
        # Until then, its routing documents lack the new hosts.
        yield _deploy_command(environment)


def strategy_steps(environment: Environment) -> Iterator[str]:
    """Yield the steps until an environment is served by its strategy, without a gap for viewers.

    Copies exist before a distribution is led to them, and the function runs before a deployment
    checks that it answers.
    """
    if not _is_served_otherwise(environment):
        return
    ids = ", ".join(row.remote_id for row in environment.distributions.all())
    prefix, function = environment.copy_prefix.rstrip("/"), function_name(environment.name)
    by_copy = not environment.runs_function
    if ids and not by_copy:
        yield f"in {ids}: remove the origin path, associate {function} with viewer requests"
    yield _deploy_command(environment)
    if ids and by_copy:
        yield f"in {ids}: set the origin path of the pages' origin to /{prefix}, then repeat that"
    if ids:
        yield f'manage.py invalidate "/*" --environment {environment} --yes'


def _is_served_otherwise(environment: Environment) -> bool:
    """Whether the last deployment used another strategy than the next one will."""
    live = environment.live
    return environment.strategy != (live.strategy if live else Strategy.POINTER)


def _deploy_command(environment: Environment) -> str:
    """Return the command that deploys what is live again, or else the first release."""
    live = environment.live
    if live:
        return f"manage.py promote --release {live.release} --to {environment} --yes"
    return f"manage.py {'promote' if environment.protected else 'push'} --to {environment}"


def _settings_to_set(environment: Environment) -> Iterator[str]:
    # An adopted distribution uses what another environment's stack made.
    others = Environment.objects.exclude(stack={})
    owner = environment if environment.stack else others.first() or environment
    outputs = owner.stack.get("outputs", {})
    wanted = {
        "EDGE_BACKEND": "aws",
        "EDGE_BUCKET": outputs.get("Bucket", settings.EDGE_BUCKET),
        "EDGE_KEY_VALUE_STORE": outputs.get("KeyValueStoreName", settings.EDGE_KEY_VALUE_STORE),
    }
    missing = {name: text for name, text in wanted.items() if getattr(settings, name) != text}
    if missing:
        yield "set " + " ".join(f"{name}={text}" for name, text in missing.items())
