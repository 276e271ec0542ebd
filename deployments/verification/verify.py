"""Verifying: everything that a switch leaves out, every object, key and host."""

from dataclasses import asdict
from typing import Any

from deployments.live_history import rollback_release
from deployments.models import Environment
from deployments.verification.checks import find_drift
from edge.protocols import Backend


def verify(backend: Backend, environment: Environment) -> dict[str, Any]:
    """Compare history, routing documents, objects and answers of one environment."""
    live, previous = environment.live, rollback_release(environment)
    return {
        "environment": environment.name,
        "strategy": environment.strategy,
        "release": live.release.name if live else None,
        "previous": previous.name if previous else None,
        "drift": [asdict(one) for one in find_drift(backend, environment, thorough=True)],
    }
