"""Adding and changing environments. The row is saved first, then the edge is brought in line.

A kill in between leaves an edge that `verify` reports; the same command again repairs it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from deployments.context import Caller
from deployments.environments.changes import Changes, check_name
from deployments.environments.edge import bring_in_line
from deployments.errors import Refused
from deployments.locks.deploy_lock import deploy_lock
from deployments.models import Access, Environment
from deployments.stacks.strategy import check_strategy
from edge.access import is_checked_by
from edge.protocols import Backend

_SECRET = "password"  # noqa: S105 - a field's name


@dataclass(frozen=True, slots=True)
class Applied:
    """An environment after a change. `changed` are the fields that got another value."""

    environment: Environment
    changed: Mapping[str, Any]
    updated: int = 0

    @property
    def needs_provision(self) -> bool:
        """Whether its stack in AWS has to be updated by `provision`."""
        of_distribution = {"application", "headers", "noindex", "access"}
        return bool(self.environment.stack) and bool(of_distribution & self.changed.keys())


def add_environment(
    backend: Backend, name: str, changes: Changes, *, caller: Caller, dry_run: bool = False
) -> Applied:
    """Add an environment, or one that was removed again. Raises Refused."""
    check_name(name)
    removed = Environment.every.filter(name=name).first()
    if removed and removed.removed_at is None:
        raise Refused(
            "environment-exists",
            f"An environment is called '{name}' already.",
            f"Change it with: manage.py environment set {name}",
        )
    environment = Environment(pk=removed.pk if removed else None, name=name)
    changed = changes.fields(environment)
    _tell(environment, changed, caller)
    if not dry_run:
        _set(environment, changed)
        environment.save()
        bring_in_line(backend, environment)
    return Applied(environment, changed)


def set_environment(
    backend: Backend,
    environment: Environment,
    changes: Changes,
    *,
    caller: Caller,
    dry_run: bool = False,
) -> Applied:
    """Change an environment, and bring the edge in line with it; without changes, only that.

    Raises Refused (nothing changed), ChangedMeanwhile (`lock-held`), EdgeError.
    """
    changed = changes.fields(environment)
    _check(environment, changed)
    _tell(environment, changed, caller)
    if dry_run:
        return Applied(environment, changed)
    caller.ask(environment, f"Change {environment}?")
    why = f"Change of {', '.join(changed) or 'nothing'}"
    with deploy_lock(
        environment=environment, actor=caller.actor, reason=why, patience=caller.patience
    ):
        environment.check_present()
        changed = changes.fields(environment)
        _check(environment, changed)
        gone = sorted(set(environment.hosts) - set(changed.get("hosts", environment.hosts)))
        _set(environment, changed)
        environment.save(update_fields=list(changed))
        caller.reached(f"{environment} is changed, but the edge may not follow it yet.")
        updated = bring_in_line(backend, environment, gone=gone)
    return Applied(environment, changed, updated)


def _set(environment: Environment, values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        setattr(environment, name, value)


def _check(environment: Environment, changed: Mapping[str, Any]) -> None:
    """Refuse what the environment cannot do now. Raises Refused."""
    if "strategy" in changed:
        check_strategy(environment, changed["strategy"], makes_stack=False)
    live = environment.live
    if changed.get("application") and live and live.release.claims:
        raise Refused(
            "source-taken",
            f"{environment} serves {live.release}, whose files are at paths of the application: "
            f"{', '.join(live.release.claims)}.",
            "Deploy a release without them first.",
        )
    closes = changed.get("canonical") or changed.get("access", Access.OPEN) != Access.OPEN
    if closes and live and not is_checked_by(live.function.source):
        raise Refused(
            "function-too-old",
            f"The edge function of {environment} neither redirects hosts nor asks for a password.",
            f"Publish today's first: manage.py push_functions --environment {environment}",
        )


def _tell(environment: Environment, changed: Mapping[str, Any], caller: Caller) -> None:
    for name, value in changed.items():
        caller.say(f"{environment}: {name} {'changes' if name == _SECRET else _shown(value)}")


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, dict):
        return "; ".join(f"{name}: {text or 'none'}" for name, text in value.items()) or "none"
    return ", ".join(value) if isinstance(value, list) else str(value) or "none"
