"""The `pointer` strategy: one update of the routing documents moves an environment.

A failure from the function to the probe is undone: the old routing documents, then the old
function. After the probe the switch stands.
"""

from dataclasses import dataclass, replace

from deployments import error_page, functions, recording
from deployments.errors import ChangedMeanwhile, DeploymentError, PartlyChanged, Refused
from deployments.models import Deployment, Environment, Outcome
from deployments.plans import Run, Target, next_command, told
from deployments.probing import probed_pages, wait_until_answered
from deployments.recording import FAILURES
from deployments.routes import Route, read_route, route_to, write_route
from edge import limits
from edge.errors import LimitExceeded
from edge.protocols import Backend, PublishedFunction
from edge.routing import PREVIEW_KEY, RoutingDocument


@dataclass(frozen=True, slots=True)
class PointerPlan:
    """What moving the pointer would change: routing documents, and perhaps the function.

    `origin` is the prefix its hosts are answered from, where it was deployed to by copy before.
    """

    target: Target
    route: Route
    function: PublishedFunction | None
    origin: str = ""

    @property
    def live(self) -> str:
        """Name of the release the routing document names, or nothing."""
        document = self.route.document
        return document.release if document else ""

    @property
    def function_changes(self) -> bool:
        """Whether the environment runs another edge function, or none."""
        return self.function is None or self.function.digest != self.target.function.digest

    @property
    def is_done(self) -> bool:
        """Whether the environment serves the target already."""
        return (
            self.live == self.target.release.name
            and self.route.agrees
            and not (self.function_changes or self.origin)
        )

    @property
    def wanted(self) -> Route:
        """What the routing keys shall hold; maintenance stays on, a canary ends."""
        target = self.target
        now = self.route.document or RoutingDocument(target.environment.name, "")
        release = target.release.name
        previous = now.previous if now.release == release else now.release
        document = replace(now, release=release, previous=previous, canary=None)
        return route_to(target.environment, document)

    def lines(self) -> list[str]:
        """Tell what becomes of the edge function."""
        change = "changes to" if self.function_changes else "stays"
        return [f"Edge function {change} {self.target.function}"]


def _check_limits(plan: PointerPlan) -> None:
    """Refuse an update beyond the limits of the key-value store before anything is written."""
    # The first update of a store writes the preview secret too.
    puts = {PREVIEW_KEY: "", **{key: value or "" for key, value in plan.wanted.values.items()}}
    try:
        limits.check_update(puts=puts, deletes=sorted(plan.route.stale))
    except LimitExceeded as error:
        raise Refused(error.code, error.message, error.hint) from error


class Pointing:
    """Deploys by moving the pointer."""

    def plan(self, backend: Backend, target: Target) -> PointerPlan:
        """Describe what would change. Raises Refused for what the store would not take."""
        plan = PointerPlan(
            target=target,
            route=read_route(backend.keyvalues, target.environment),
            function=functions.live(backend, target.environment),
            origin=_origin(backend, target.environment),
        )
        _check_limits(plan)
        return plan

    def going_on(self, unfinished: list[Deployment], target: Target) -> Deployment | None:
        """Give None: an interrupted switch took place or it did not, and is settled."""
        return None

    def carry_out(self, run: Run, plan: PointerPlan, deployment: Deployment) -> int:
        """Publish, switch, read back, probe; gives 0, since nothing has to be invalidated."""
        target, backend = plan.target, run.backend
        environment = target.environment
        if plan.function_changes:
            run.say(f"Publish edge function {target.function}")
            functions.publish(backend, environment, target.function.source)
        run.say(f"Switch {environment} from {plan.live or 'nothing'} to {target.release}")
        write_route(backend.keyvalues, environment, seen=plan.route, wanted=plan.wanted)
        if plan.origin and backend.origins:
            backend.origins.point(environment.hosts, "")
        run.say(f"Probe {', '.join(probed_pages(environment, target.release))}")
        _check_switched(backend, plan)
        return 0

    def failed(
        self, run: Run, plan: PointerPlan, deployment: Deployment, error: BaseException
    ) -> DeploymentError:
        """Put the old routing documents and function back; tell what to raise."""
        environment, release = plan.target.environment, plan.target.release
        run.say(f"Restore {environment}: {told(error)}")
        try:
            _restore(run.backend, plan)
            result = Outcome.Result.RESTORED
            recording.finish(run.backend, deployment, result, detail=told(error))
        except FAILURES as second:
            return PartlyChanged(
                "not-restored",
                f"Deploying {release} to {environment} failed ({told(error)}), and so did "
                f"restoring what was live ({told(second)}).",
                f"Run: {next_command(plan)}",
            )
        return _after_restoring(plan, error)

    def follow_up(self, backend: Backend, deployment: Deployment) -> int:
        """Bring the shared error page up to date; tell how many paths were invalidated."""
        return error_page.refresh(backend, deployment)

    def is_in_force(self, backend: Backend, deployment: Deployment) -> bool:
        """Tell whether an environment serves what an interrupted deployment names."""
        document = read_route(backend.keyvalues, deployment.environment).document
        live = functions.live(backend, deployment.environment)
        return (
            document is not None
            and document.release == deployment.release.name
            and live is not None
            and live.digest == deployment.function.digest
        )


def _check_switched(backend: Backend, plan: PointerPlan) -> None:
    """Read back and probe. Raises ChangedMeanwhile, Refused."""
    environment = plan.target.environment
    if read_route(backend.keyvalues, environment) != plan.wanted:
        raise ChangedMeanwhile(
            "route-changed", f"The routing documents of {environment} were overwritten meanwhile."
        )
    wrong = wait_until_answered(backend.viewer, environment, plan.target.release)
    if wrong:
        raise Refused("probe-failed", f"The edge does not serve it: {'; '.join(wrong.values())}.")


def _origin(backend: Backend, environment: Environment) -> str:
    """Tell from below which prefix a host is answered, if one is."""
    if backend.origins is None:
        return ""
    return next(filter(None, map(backend.origins.prefix, environment.hosts)), "")


def _restore(backend: Backend, plan: PointerPlan) -> None:
    environment = plan.target.environment
    if plan.origin and backend.origins and not _origin(backend, environment):
        backend.origins.point(environment.hosts, plan.origin)
    if plan.wanted != plan.route and read_route(backend.keyvalues, environment) == plan.wanted:
        write_route(backend.keyvalues, environment, seen=plan.wanted, wanted=plan.route)
    if plan.function and functions.live(backend, environment) != plan.function:
        functions.publish(backend, environment, plan.function.source)


def _after_restoring(plan: PointerPlan, error: BaseException) -> DeploymentError:
    environment, release = plan.target.environment, plan.target.release
    restored = f"{environment} serves {plan.live or 'nothing'} as before."
    if isinstance(error, ChangedMeanwhile):
        return ChangedMeanwhile(error.code, error.message, error.hint or "Run the command again.")
    if isinstance(error, Refused):
        return Refused(error.code, f"{error.message} {restored}", "See: manage.py status")
    return PartlyChanged(
        "switch-failed",
        f"Deploying {release} to {environment} failed: {told(error)}. {restored}",
        f"Run: {next_command(plan, again=True)}",
    )
