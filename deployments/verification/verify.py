"""Verifying what a switch does not check: every object, key and host."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from deployments.live_history import rollback_release
from deployments.models import Environment
from deployments.verification.checks import find_drift
from deployments.verification.preview_checks import preview_drift
from edge.protocols import Backend


def verify_environments(
    backend: Backend, name: str | None = None, *, say: Callable[[str], None]
) -> list[dict[str, Any]]:
    """Verify one environment by name, or all of them. Raises Refused if it is unknown."""
    environments = Environment.objects.all()
    rows = []
    for environment in [environments.named(name)] if name else environments:
        say(f"Verify {environment}")
        rows.append(verify(backend, environment))
    return rows


def verify(backend: Backend, environment: Environment) -> dict[str, Any]:
    """Compare the history of an environment with its routing documents, objects and answers."""
    live, previous = environment.live, rollback_release(environment)
    drift = [*find_drift(backend, environment, thorough=True), *preview_drift(backend, environment)]
    return {
        "environment": environment.name,
        "strategy": environment.strategy,
        "release": live.release.name if live else None,
        "previous": previous.name if previous else None,
        "drift": [asdict(one) for one in drift],
    }
