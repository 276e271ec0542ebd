"""The `pointer` strategy: one update of the routing documents switches an environment.

A failure up to the probe is undone: the old routing documents return first, then the old function.
After the probe the switch is final.
"""

from django.db import DatabaseError

from deployments.context import DeployContext
from deployments.deploy import error_page, record
from deployments.deploy.plan import Target, next_command
from deployments.deploy.pointer_plan import PointerPlan, origin_of, plan_pointer, serves
from deployments.deploy.probe import Probe, preview_cookie, probed_pages, wait_until_answered
from deployments.deploy.record import FAILURES
from deployments.errors import ChangedMeanwhile, DeploymentError, PartlyChanged, Refused
from deployments.models import Deployment, Environment, Outcome
from deployments.releases.smoke_checks import read_checks
from deployments.routing import functions
from deployments.routing.previews import NoSecret
from deployments.routing.routes import read_route, write_route
from deployments.routing.sites import write_site
from deployments.wording import reason_of
from edge.protocols import Backend
from edge.routing import routing_keys


class PointerStrategy:
    """Deploys by moving the pointer."""

    def plan(self, backend: Backend, target: Target) -> PointerPlan:
        """Return what would change. Raises Refused for an update that the store would not take."""
        return plan_pointer(backend, target)

    def resumes(self, unfinished: list[Deployment], target: Target) -> Deployment | None:
        """Return None: an interrupted switch either took place or did not, and is settled."""
        return None

    def rehearse(self, context: DeployContext, plan: PointerPlan) -> None:
        """Request the release through a signed preview. Raises Refused."""
        target = plan.target
        if not _can_rehearse(plan):
            return
        try:
            cookie = preview_cookie(context.backend.keyvalues, target.environment, target.release)
        except NoSecret:
            # Deleting the secret ends all previews; the switch writes a new one.
            context.say("Skip the rehearsal: the secret that signs previews is missing")
            return
        context.say(f"Rehearse {target.release} through a signed preview")
        checks = read_checks(context.backend.objects, target.release)
        probe = Probe(target.environment, target.release, cookie=cookie, checks=checks)
        wrong = wait_until_answered(context.backend.viewer, probe)
        if wrong:
            raise Refused(
                "rehearsal-failed",
                f"{target.release} would not be served correctly: "
                f"{'; '.join(wrong.values())}. Nothing was changed.",
                f"Look at it with: manage.py preview {target.release} "
                f"--environment {target.environment}. Then push a fix.",
            )

    def carry_out(self, context: DeployContext, plan: PointerPlan, deployment: Deployment) -> int:
        """Publish, switch, read back, probe; return 0, since nothing has to be invalidated."""
        target, backend = plan.target, context.backend
        environment = target.environment
        if plan.function_changes:
            context.say(f"Publish edge function {target.function}")
            functions.publish(backend, environment, target.function.source)
            context.keep_lock()
        write_site(backend, target.release)
        context.say(f"Switch {environment} from {plan.live or 'nothing'} to {target}")
        write_route(backend.keyvalues, environment, seen=plan.route, wanted=plan.wanted)
        if plan.origin and backend.origins:
            backend.origins.point(environment.hosts, "")
        context.say(f"Probe {', '.join(probed_pages(environment, target.release))}")
        _check_switched(backend, plan)
        return 0

    def failed(
        self,
        context: DeployContext,
        plan: PointerPlan,
        deployment: Deployment,
        error: BaseException,
    ) -> DeploymentError:
        """Restore the old routing documents and function; return the error to raise."""
        environment, release = plan.target.environment, plan.target.release
        try:
            if lost := _lost_lock(context):
                return lost
            context.say(f"Restore {environment}: {reason_of(error)}")
            _restore(context.backend, plan)
            result = Outcome.Result.RESTORED
            record.finish(context.backend, deployment, result, detail=reason_of(error))
        except ChangedMeanwhile as lost:
            return lost  # another run decides what is served
        except FAILURES as second:
            return PartlyChanged(
                "not-restored",
                f"Deploying {release} to {environment} failed ({reason_of(error)}), and "
                f"restoring what was live failed too ({reason_of(second)}).",
                f"Run: {next_command(plan)}",
            )
        return _after_restoring(plan, error)

    def follow_up(self, context: DeployContext, deployment: Deployment) -> int:
        """Update the error page; return the number of invalidated paths."""
        is_canary = deployment.percent is not None
        return 0 if is_canary else error_page.refresh(context, deployment)

    def partly_deployed(self, environment: Environment) -> list[Deployment]:
        """Return none: a switch is atomic."""
        return []

    def took_effect(self, backend: Backend, deployment: Deployment) -> bool:
        """Whether an environment serves what an interrupted deployment names."""
        document = read_route(backend.keyvalues, deployment.environment).document
        live = functions.live(backend, deployment.environment)
        is_published = live is not None and live.digest == deployment.function.digest
        return is_published and serves(document, deployment)


def _can_rehearse(plan: PointerPlan) -> bool:
    """Whether a preview of the target is needed and possible.

    What was live before needs no rehearsal: a rollback must work while all else is broken. A
    preview relies on the function that the history names, and on the routing document of the
    probed host. Without them there is no rehearsal, since the switch may be what restores them.
    """
    target = plan.target
    _, asked, *_ = routing_keys(target.environment.name, target.environment.hosts)
    document, live = plan.route.document_of(asked), target.environment.live
    if plan.origin or plan.function is None or document is None or live is None:
        return False
    is_new = document.release not in {"", target.release.name}
    is_forward = target.kind not in {Deployment.Kind.ROLLBACK, Deployment.Kind.FUNCTION}
    return is_new and is_forward and plan.function.digest == live.function.digest


def _check_switched(backend: Backend, plan: PointerPlan) -> None:
    """Read back and probe. Raises ChangedMeanwhile, Refused."""
    environment = plan.target.environment
    if read_route(backend.keyvalues, environment) != plan.wanted:
        raise ChangedMeanwhile(
            "route-changed", f"Another process overwrote the routing documents of {environment}."
        )
    wrong = wait_until_answered(backend.viewer, _probe_after(backend, plan))
    if wrong:
        raise Refused(
            "probe-failed",
            f"The edge does not serve {plan.target.release}: {'; '.join(wrong.values())}.",
        )


def _probe_after(backend: Backend, plan: PointerPlan) -> Probe:
    """Return a probe as any viewer, or as a preview if not every viewer gets the release.

    Some viewers get a canary, some have no password, and none get past maintenance.
    """
    target, document = plan.target, plan.wanted.document
    hidden = target.percent is not None or (
        document is not None and bool(document.maintenance or document.access)
    )
    cookie = preview_cookie(backend.keyvalues, target.environment, target.release) if hidden else ""
    checks = read_checks(backend.objects, target.release)
    return Probe(target.environment, target.release, cookie=cookie, checks=checks)


def _lost_lock(context: DeployContext) -> ChangedMeanwhile | None:
    """Return the error to raise if another run took the lock over: it decides what is served.

    Routing documents do not show this, since that run may deploy the release that failed here.
    """
    try:
        context.keep_lock()
    except ChangedMeanwhile as lost:
        return lost
    except DatabaseError:
        return None  # unknown, but a run that takes the lock over needs the database too
    return None


def _restore(backend: Backend, plan: PointerPlan) -> None:
    environment = plan.target.environment
    if plan.origin and backend.origins and not origin_of(backend, environment):
        backend.origins.point(environment.hosts, plan.origin)
    if plan.wanted != plan.route and read_route(backend.keyvalues, environment) == plan.wanted:
        write_route(backend.keyvalues, environment, seen=plan.wanted, wanted=plan.route)
    before = plan.function if plan.function_changes else None
    if before and functions.live(backend, environment) != before:
        functions.publish(backend, environment, before.source)


def _after_restoring(plan: PointerPlan, error: BaseException) -> DeploymentError:
    environment, release = plan.target.environment, plan.target.release
    restored = f"{environment} serves {plan.live or 'nothing'} as before."
    if isinstance(error, ChangedMeanwhile):
        return ChangedMeanwhile(error.code, error.message, error.hint or "Run the command again.")
    if isinstance(error, Refused):
        return Refused(error.code, f"{error.message} {restored}", "See: manage.py status")
    return PartlyChanged(
        "switch-failed",
        f"Deploying {release} to {environment} failed: {reason_of(error)}. {restored}",
        f"Run: {next_command(plan, again=True)}",
    )
