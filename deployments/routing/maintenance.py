"""Maintenance: every page of an environment answers 503 with a message, until it is over.

It stands in the routing documents beside the releases, and changes none of them: previews and
deployments go on meanwhile, and both leave it as it is.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from deployments.errors import ChangedMeanwhile, Refused
from deployments.locks.deploy_lock import NO_PATIENCE, Patience, deploy_lock
from deployments.models import Environment, Maintenance
from deployments.routing.routes import Route, read_route, write_route
from edge.errors import LimitExceeded
from edge.protocols import Backend, KeyValueStore
from edge.routing import Canary, RoutingDocument

LONGEST = 300  # characters, as the history keeps them
# A message must leave room for the longest names a deployment may write beside it.
_RELEASE = "20260101-000000-00000000"
_CANARY = Canary(_RELEASE, 100, "zzzzzzzz")


@dataclass(frozen=True, slots=True)
class MaintenancePlan:
    """What maintenance would change: the routing documents, and the line of the history."""

    environment: Environment
    on: bool
    message: str
    route: Route
    fallback: RoutingDocument

    @property
    def wanted(self) -> Route:
        """What the routing keys shall hold: each its own document, but for maintenance."""
        return Route({key: self._wanted(key) for key in self.route.values})

    @property
    def is_done(self) -> bool:
        """Whether the edge and the history both say so already."""
        return self.wanted == self.route and self.is_recorded

    @property
    def is_recorded(self) -> bool:
        """Whether the history says so already."""
        told = self.environment.maintenance
        return (told.message == self.message) if told and self.on else bool(told) == self.on

    def lines(self) -> list[str]:
        """Tell people what would change, a line each."""
        now = self.route.document
        was_on = now is not None and now.maintenance
        serves = (now.release if now else "") or "nothing"
        if not self.on:
            return [f"{self.environment}: {serves} is shown to everybody again"]
        what = "the message changes" if was_on else f"{serves} is hidden, all pages answer 503"
        return [f"{self.environment}: {what}", f"Message: {self.message or 'that of the function'}"]

    def _wanted(self, key: str) -> str | None:
        document = self.route.document_of(key) or self.fallback
        if not self.on and not document.release:
            return None  # nothing was deployed before, and nothing is left behind
        changed = replace(document, maintenance=self.on, message=self.message)
        return changed.to_json()


def plan_maintenance(
    backend: Backend, environment: Environment, *, on: bool, message: str | None = None
) -> MaintenancePlan:
    """Describe what would change. Without a message the one there is stays. Raises Refused."""
    environment.check_runs_function(
        "can answer for the pages",
        "Deploy pages that say so instead: manage.py push --source DIR --no-deploy, then "
        f"manage.py promote --release ID --to {environment}",
    )
    route, live = read_route(backend.keyvalues, environment), environment.live
    # A document that is lost or broken is written anew, from what the history says is live.
    fallback = RoutingDocument(environment.name, live.release.name if live else "")
    if message is None and on:
        message = _standing_message(environment, route)
    text = _checked(message or "", on=on)
    plan = MaintenancePlan(environment, on, text, route, fallback)
    _check_size(backend, plan)
    return plan


def _standing_message(environment: Environment, route: Route) -> str:
    """Find the message there is: in the routing documents, or where they are lost in the history.

    What mends a lost document is a command without a message.
    """
    document, told = route.document, environment.maintenance
    if document and document.maintenance:
        return document.message
    return told.message if told else ""


def set_maintenance(
    backend: Backend,
    plan: MaintenancePlan,
    *,
    actor: str,
    reason: str = "",
    patience: Patience = NO_PATIENCE,
    say: Callable[[str], None],
) -> bool:
    """Carry a plan out, made again under the lock; tell whether anything was left to do.

    Raises Refused, ChangedMeanwhile (lock held, or routing changed by somebody else), EdgeError.
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
            f"The routing documents of {plan.environment} were overwritten meanwhile.",
        )


def _checked(message: str, *, on: bool) -> str:
    """Make one line of a message. Raises Refused."""
    text = " ".join(message.split())
    if text and not on:
        raise Refused(
            "message-for-nobody",
            "A message is shown during maintenance only, and this ends it.",
            "Leave --message out.",
        )
    if not text.isprintable():
        raise Refused(
            "message-odd",
            "Expected a message of plain text, found control characters.",
            "Leave them out; markup is shown as it is typed.",
        )
    if len(text) > LONGEST:
        raise Refused(
            "message-too-long",
            f"A message may have {LONGEST} characters, this one has {len(text)}.",
            "Say it in fewer words, or with a link to where there is more.",
        )
    return text


def _check_size(backend: Backend, plan: MaintenancePlan) -> None:
    """Refuse a message that fits only until the next deployment. Raises Refused."""
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
            "Say it in fewer words; letters beyond ASCII take two to four bytes each.",
        ) from error
