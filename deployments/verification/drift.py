"""Drift: what disagrees with the history, and the command that mends it.

These looks are cheap enough for `status`; deployments/verification/verify.py looks at everything.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from deployments.deploy import error_page
from deployments.deploy.copy_plan import is_pointed
from deployments.deploy.plan import serve_command
from deployments.deploy.pointer_plan import serves
from deployments.deploy.probe import Probe, answers, preview_cookie
from deployments.live_history import unfinished_since
from deployments.models import Deployment, Environment, Release, Strategy
from deployments.routing import functions
from deployments.routing.previews import NoSecret
from deployments.routing.routes import read_route
from edge.errors import EdgeError
from edge.protocols import Backend

DOCTOR = "manage.py doctor"


@dataclass(frozen=True, slots=True)
class Drift:
    """One disagreement. `code` is stable; `command` mends it."""

    code: str
    message: str
    command: str

    def __str__(self) -> str:
        return f"{self.message}; run: {self.command}"


@dataclass(frozen=True, slots=True)
class Inspection:
    """What is looked at: an environment, what its history says is live, through a back end."""

    backend: Backend
    environment: Environment
    live: Deployment

    @property
    def hosts(self) -> list[str]:
        """Where viewers ask: names of this machine lead to no distribution."""
        every = list(self.environment.hosts)
        if self.backend.origins is not None:
            return every
        return [host for host in every if not _is_this_machine(host)] or every

    @property
    def mend(self) -> str:
        """The command that makes the environment serve what its history says."""
        return serve_command(self.live.release, self.environment)

    def probe(self, host: str = "") -> Probe:
        """Ask as a viewer would; one may see a canary, and a preview gets through maintenance."""
        canary = self.environment.canary
        return Probe(
            self.environment,
            self.live.release,
            host=host,
            cookie=self._way_in,
            others=frozenset({canary.release.name} if canary else ()),
        )

    @property
    def _way_in(self) -> str:
        """Sign a preview where maintenance keeps everybody else out."""
        if self.environment.strategy == Strategy.COPY:
            return ""
        document = read_route(self.backend.keyvalues, self.environment).document
        if document is None or not document.maintenance:
            return ""
        return preview_cookie(self.backend.keyvalues, self.environment, self.live.release)


def _is_this_machine(host: str) -> bool:
    return host in {"localhost", "127.0.0.1", "[::1]"} or host.endswith(".localhost")


Check = Callable[[Inspection], Iterator[Drift]]


def run_checks(inspection: Inspection, checks: Iterable[Check]) -> Iterator[Drift]:
    """Carry out checks; a part of the back end that does not answer is a finding too."""
    for check in checks:
        try:
            yield from check(inspection)
        except NoSecret as error:
            yield Drift("no-secret", error.message, "manage.py push")
        except EdgeError as error:
            yield Drift("no-answer", f"The back end does not answer: {error.message}", DOCTOR)


def routes(inspection: Inspection) -> Iterator[Drift]:
    """Do the routing documents name what is live? All that is wrong is one line."""
    first, *more = [*route_faults(inspection)] or [""]
    if first:
        message = f"{first} (and {len(more)} more)" if more else first
        yield Drift("route", message, inspection.mend)


def canary(inspection: Inspection) -> Iterator[Drift]:
    """Do the routing documents show the canary that history tells of, and no other?"""
    if inspection.environment.strategy == Strategy.COPY:
        return
    document = read_route(inspection.backend.keyvalues, inspection.environment).document
    if document is None or document.release != inspection.live.release.name:
        return  # which was named already
    if not serves(document, inspection.environment.canary or inspection.live):
        shown = _told(inspection.environment.canary)
        yield Drift("canary", f"viewers see another canary, history says {shown}", inspection.mend)


def maintenance(inspection: Inspection) -> Iterator[Drift]:
    """Do the routing documents keep viewers out just when the history says so?"""
    environment, told = inspection.environment, inspection.environment.maintenance
    if environment.strategy == Strategy.COPY:
        return
    route = read_route(inspection.backend.keyvalues, environment)
    down = {key for key in route.values if (one := route.document_of(key)) and one.maintenance}
    if bool(down) == bool(told) and len(down) in {0, len(route.values)}:
        return
    state = "on" if told else "off"
    yield Drift(
        "maintenance",
        f"{', '.join(sorted(down)) or 'no host'} is in maintenance, history says {state}",
        f"manage.py maintenance {state} --environment {environment} --yes",
    )


def route_faults(inspection: Inspection) -> Iterator[str]:
    """Does every routing key hold the document of what is live, and no other key one?"""
    if inspection.environment.strategy == Strategy.COPY:
        return
    route = read_route(inspection.backend.keyvalues, inspection.environment)
    for key in route.values:
        named = route.release_of(key)
        if named != inspection.live.release.name:
            yield f"{key} names {named or 'nothing'}, history says {inspection.live.release}"
    if len(set(route.values.values())) > 1 and all(map(route.release_of, route.values)):
        yield "the routing documents differ from each other"
    for key in sorted(route.stale):
        yield f"{key} is left of a host it has lost"


def _told(canary: Deployment | None) -> str:
    return f"{canary.release} to {canary.percent} % of the viewers" if canary else "no canary"


def origin(inspection: Inspection) -> Iterator[Drift]:
    """Are the hosts answered from where the strategy puts the files?"""
    backend, environment = inspection.backend, inspection.environment
    by_copy = environment.strategy == Strategy.COPY
    if by_copy and not is_pointed(backend, environment):
        message = f"a host is not answered from below {environment.copy_prefix}"
        yield Drift("origin", message, inspection.mend)
    if not by_copy and backend.origins and any(map(backend.origins.prefix, environment.hosts)):
        yield Drift("origin", "a host is answered without the edge function", inspection.mend)


def function(inspection: Inspection) -> Iterator[Drift]:
    """Is the function live that the release was deployed with?"""
    if inspection.environment.strategy == Strategy.COPY:
        return
    published = functions.live(inspection.backend, inspection.environment)
    if published is None or published.digest != inspection.live.function.digest:
        message = f"another edge function is live than {inspection.live.function}"
        yield Drift("function", message, inspection.mend)


def reachable(inspection: Inspection) -> Iterator[Drift]:
    """Is there a host that viewers can ask?"""
    if not inspection.environment.hosts:
        command = f"manage.py provision --environment {inspection.environment}"
        yield Drift("no-host", "no host leads to the pages", command)


def first_host(inspection: Inspection) -> Iterator[Drift]:
    """Does the probed host answer with the release?"""
    if not inspection.environment.hosts:
        return
    for fault in answers(inspection.backend.viewer, inspection.probe()).values():
        yield Drift("answer", fault, inspection.mend)


def unfinished(inspection: Inspection) -> Iterator[Drift]:
    """Was a deployment interrupted?"""
    environment = inspection.environment
    for deployment in environment.deployments.unfinished().select_related("release"):
        # By copy its files have arrived in part: going on is shorter than going back.
        by_copy = deployment.strategy == Strategy.COPY
        command = serve_command(deployment.release, environment) if by_copy else inspection.mend
        yield Drift("unfinished", f"deployment {deployment.pk} was interrupted", command)
    for deployment in unfinished_since(environment, inspection.live):
        if hasattr(deployment, "outcome"):
            message = (
                f"files of {deployment.release} may lie among those of {inspection.live.release}"
            )
            yield Drift("mixed", message, inspection.mend)


def error_page_there(inspection: Inspection) -> Iterator[Drift]:
    """Is there an error page at the fixed key?"""
    by_copy = inspection.environment.strategy == Strategy.COPY
    if not by_copy and inspection.backend.objects.head(error_page.KEY) is None:
        yield Drift("error-page", f"{error_page.KEY} is missing", inspection.mend)


CHEAP: tuple[Check, ...] = (
    reachable,  # first, since nothing else can be mended without
    routes,
    canary,
    maintenance,
    origin,
    function,
    first_host,
    unfinished,
    error_page_there,
)


def drift_of_nothing(backend: Backend, environment: Environment) -> list[Drift]:
    """Is a first deployment unfinished, and do routing documents name a release all the same?"""
    drifts = []
    for deployment in environment.deployments.unfinished().select_related("release"):
        command = serve_command(deployment.release, environment)
        drifts.append(Drift("unfinished", f"deployment {deployment.pk} was interrupted", command))
    if environment.strategy == Strategy.COPY:
        return drifts
    try:
        document = read_route(backend.keyvalues, environment).document
    except EdgeError as error:
        return [*drifts, Drift("no-answer", error.message, DOCTOR)]
    if document and document.release:
        known = Release.objects.complete().filter(name=document.release).exists()
        push = f"manage.py push --to {environment} --yes"
        command = serve_command(document.release, environment) if known else push
        message = f"routing documents name {document.release}, history says nothing"
        drifts.append(Drift("route", message, command))
    return drifts
