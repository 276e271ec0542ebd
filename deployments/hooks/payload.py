"""What a hook gets: a deployment, planned or ended, as JSON."""

from typing import Protocol

from deployments.hooks.answers import Payload
from deployments.models import Environment, Hook, Outcome, Release
from deployments.routing.previews import site_of
from edge.database_clock import database_now
from edge.protocols import Backend

TRIAL = "test"


class Change(Protocol):
    """What a deployment and the target of a planned one have in common."""

    @property
    def environment(self) -> Environment: ...
    @property
    def release(self) -> Release: ...
    @property
    def kind(self) -> str: ...
    @property
    def percent(self) -> int | None: ...
    @property
    def actor(self) -> str: ...
    @property
    def reason(self) -> str: ...


def payload_of(
    backend: Backend,
    change: Change,
    *,
    previous: str,
    moment: Hook.Moment,
    outcome: Outcome | None = None,
) -> Payload:
    """Return the payload of a call. Raises Refused if the environment has no host."""
    return {
        "event": moment.value,
        **_about(backend, change.environment, change.release),
        "previous": previous or None,
        "kind": str(change.kind),
        "percent": change.percent,
        "actor": change.actor,
        "reason": change.reason,
        "deployment": outcome.deployment_id if outcome else None,
        "result": outcome.result if outcome else None,
        "detail": outcome.detail if outcome else "",
    }


def trial_payload(backend: Backend, environment: Environment, *, actor: str) -> Payload:
    """Return the payload of a try: what the environment serves, and no deployment."""
    return {
        "event": TRIAL,
        **_about(backend, environment, environment.live.release if environment.live else None),
        "previous": None,
        "kind": TRIAL,
        "percent": None,
        "actor": actor,
        "reason": "",
        "deployment": None,
        "result": None,
        "detail": "",
    }


def _about(backend: Backend, environment: Environment, release: Release | None) -> Payload:
    return {
        "at": database_now().isoformat(),
        "environment": environment.name,
        "url": f"{site_of(backend, environment)}/",
        "release": release.name if release else None,
        **{
            name: (getattr(release, name, "") or None)
            for name in ("commit", "branch", "author", "message")
        },
    }
