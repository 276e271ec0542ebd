"""Maintenance: every page of an environment answers 503 with a message until maintenance ends.

It is recorded in the routing documents beside the releases and does not change them: previews and
deployments work as usual and leave it in place.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from deployments.context import Caller
from deployments.errors import ChangedMeanwhile, Refused
from deployments.locks.deploy_lock import NO_PATIENCE, Patience, deploy_lock
from deployments.models import Environment, Maintenance
from deployments.routing.routes import Route, as_served, read_route, write_route
from edge.errors import LimitExceeded
from edge.protocols import Backend, KeyValueStore
from edge.routing import Canary, RoutingDocument

LONGEST = 300  # characters, as in the history
# A message must leave room for the longest names that a deployment may write beside it.
_RELEASE = "20260101-000000-00000000"
_CANARY = Canary(_RELEASE, 100, "zzzzzzzz")


@dataclass(frozen=True, slots=True)
class MaintenancePlan:
    """A change of maintenance: the routing documents, and the row in the history."""

    environment: Environment
    on: bool
    message: str
    route: Route
    fallback: RoutingDocument

    @property
    def wanted(self) -> Route:
        """The routing documents after the change: each as it is, except for maintenance."""
        return Route({key: self._wanted(key) for key in self.route.values})

    @property
    def is_done(self) -> bool:
        """Whether neither the edge nor the history needs a change."""
        return self.wanted == self.route and self.is_recorded

    @property
    def is_recorded(self) -> bool:
        """Whether the history needs no change."""
        current = self.environment.maintenance
        if current and self.on:
            return bool(current.message == self.message)
        return bool(current) == self.on

    def lines(self) -> list[str]:
        """Describe the change for people, one line per point."""
        now = self.route.document
        was_on = now is not None and now.maintenance
        serves = (now.release if now else "") or "nothing"
        if not self.on:
            return [f"{self.environment}: {serves} is shown to all viewers again"]
        what = "the message changes" if was_on else f"{serves} is hidden; all pages answer 503"
        return [f"{self.environment}: {what}", f"Message: {self.message or 'the default message'}"]

    def _wanted(self, key: str) -> str | None:
        document = self.route.document_of(key) or self.fallback
        if not self.on and not document.release:
            return None  # nothing was deployed, so the document existed only for maintenance
        changed = replace(document, maintenance=self.on, message=self.message)
        return as_served(self.environment, changed).to_json()


def plan_maintenance(
    backend: Backend, environment: Environment, *, on: bool, message: str | None = None
) -> MaintenancePlan:
    """Plan to start or end maintenance; without a message, keep the current one. Raises Refused."""
    environment.check_runs_function(
        "can answer in place of the pages",
        "Deploy pages that announce it instead: manage.py push --source DIR --no-deploy, then "
        f"manage.py promote --release ID --to {environment}",
    )
    route, live = read_route(backend.keyvalues, environment), environment.live
    # A missing or broken document is restored from the history's live release.
    fallback = RoutingDocument(environment.name, "")
    if live:
        fallback = replace(fallback, release=live.release.name, site=live.release.site)
    if message is None and on:
        message = _current_message(environment, route)
    text = _check_message(message or "", on=on)
    plan = MaintenancePlan(environment, on, text, route, fallback)
    _check_size(backend, plan)
    return plan


def _current_message(environment: Environment, route: Route) -> str:
    """Return the current message, from the routing documents or, if they are lost, the history.

    (A lost document is repaired by the command without a message.)
    """
    document, recorded = route.document, environment.maintenance
    if document and document.maintenance:
        return document.message
    return recorded.message if recorded else ""


def switch_maintenance(
    backend: Backend,
    environment: Environment,
    *,
    on: bool,
    message: str | None,
    reason: str,
    caller: Caller,
    dry_run: bool = False,
) -> tuple[MaintenancePlan, bool]:
    """Start or end maintenance, once the caller has seen what changes and agreed.

    Return the plan, and whether anything was changed. Raises as `set_maintenance` does.
    """
    plan = plan_maintenance(backend, environment, on=on, message=message)
    if plan.is_done:
        return plan, False
    for line in plan.lines():
        caller.say(line)
    if dry_run:
        return plan, False
    caller.ask(environment, f"Take {environment} down?" if on else f"Bring {environment} back up?")
    caller.reached("It is not known whether anything was changed.")
    changed = set_maintenance(
        backend,
        plan,
        actor=caller.actor,
        reason=reason,
        patience=caller.patience,
        say=caller.say,
    )
    return plan, changed


def set_maintenance(
    backend: Backend,
    plan: MaintenancePlan,
    *,
    actor: str,
    reason: str = "",
    patience: Patience = NO_PATIENCE,
    say: Callable[[str], None],
) -> bool:
    """Plan again under the lock and carry it out. Return whether there was anything to change.

    Raises Refused, ChangedMeanwhile (lock held, or routing changed by another run), EdgeError.
    """
    environment, on = plan.environment, plan.on
    why = f"Maintenance {'on' if on else 'off'}" + (f": {reason}" if reason else "")
    with deploy_lock(environment=environment, actor=actor, reason=why, patience=patience, say=say):
        plan = plan_maintenance(backend, environment, on=on, message=plan.message)
        if plan.is_done:
            return False
        if plan.wanted != plan.route:
            say(f"Write the routing documents of {environment}")
            write_route(backend.keyvalues, environment, seen=plan.route, wanted=plan.wanted)
            _check_written(backend.keyvalues, plan)
        if not plan.is_recorded:
            Maintenance.objects.create(
                environment=environment, on=on, message=plan.message, actor=actor, reason=reason
            )
        return True


def _check_written(store: KeyValueStore, plan: MaintenancePlan) -> None:
    if read_route(store, plan.environment) != plan.wanted:
        raise ChangedMeanwhile(
            "route-changed",
            f"The routing documents of {plan.environment} were overwritten by another run.",
            "Check them with: manage.py status, then run the command again.",
        )


def _check_message(message: str, *, on: bool) -> str:
    """Return the message on one line. Raises Refused."""
    text = " ".join(message.split())
    if text and not on:
        raise Refused(
            "message-for-nobody",
            "A message is shown only during maintenance, and this command ends it.",
            "Leave --message out.",
        )
    if not text.isprintable():
        raise Refused(
            "message-odd",
            "Expected a message in plain text, found control characters.",
            "Remove them. Markup is shown as typed.",
        )
    if len(text) > LONGEST:
        raise Refused(
            "message-too-long",
            f"A message may have at most {LONGEST} characters; this one has {len(text)}.",
            "Shorten it, or refer to a page with the details.",
        )
    return text


def _check_size(backend: Backend, plan: MaintenancePlan) -> None:
    """Refuse a message that would leave no room for the next deployment. Raises Refused."""
    document = plan.route.document or plan.fallback
    fullest = replace(
        document,
        release=_RELEASE,
        previous=_RELEASE,
        canary=_CANARY,
        maintenance=plan.on,
        message=plan.message,
    ).to_json()
    try:
        backend.limits.check_update(puts=dict.fromkeys(plan.route.values, fullest), deletes=())
    except LimitExceeded as error:
        size = len(plan.message.encode())
        raise Refused(
            "message-too-long",
            f"The message takes {size} bytes and does not fit beside the releases: {error.message}",
            "Shorten it; characters beyond ASCII take two to four bytes each.",
        ) from error
