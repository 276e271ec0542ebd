"""Environments as `environment list` shows them."""

from typing import Any

from deployments.models import Environment


def described(environment: Environment) -> dict[str, Any]:
    """Return what an environment serves, and how, for --json. Its password is left out."""
    live = environment.live
    return {
        "environment": environment.name,
        "live": live.release.name if live else None,
        "hosts": environment.hosts,
        "canonical": environment.canonical or None,
        "strategy": environment.strategy,
        "protected": environment.protected,
        "application": environment.application,
        "access": environment.access,
        "noindex": "x-robots-tag" in environment.serving_rules.headers,
        "headers": environment.headers,
        "canary_margin": environment.canary_margin,
        "distributions": [one.remote_id for one in environment.distributions.all()],
    }


def every_environment() -> list[dict[str, Any]]:
    """Return all environments that were not removed."""
    return [described(environment) for environment in Environment.objects.all()]
