"""Drift: what disagrees with the history, and the command that mends it.

These looks are cheap enough for `status`; deployments/verifying.py looks at everything.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from deployments import error_page, functions
from deployments.copy_plans import is_pointed, unfinished_since
from deployments.models import Deployment, Environment, Strategy
from deployments.plans import serve_command
from deployments.pointer_plans import serves
from deployments.previews import NoSecret
from deployments.probing import Probe, answers, preview_cookie
from deployments.routes import read_route
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
class Look:
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


Check = Callable[[Look], Iterator[Drift]]


def found(look: Look, checks: Iterable[Check]) -> Iterator[Drift]:
    """Carry out checks; a part of the back end that does not answer is a finding too."""
    for check in checks:
        try:
            yield from check(look)
        except NoSecret as error:
            yield Drift("no-secret", error.message, "manage.py push")
        except EdgeError as error:
            yield Drift("no-answer", f"The back end does not answer: {error.message}", DOCTOR)


def routes(look: Look) -> Iterator[Drift]:
    """Do the routing documents name what is live? All that is wrong is one line."""
    first, *more = [*route_faults(look)] or [""]
    if first:
        message = f"{first} (and {len(more)} more)" if more else first
        yield Drift("route", message, look.mend)


def canary(look: Look) -> Iterator[Drift]:
    """Do the routing documents show the canary that history tells of, and no other?"""
    if look.environment.strategy == Strategy.COPY:
        return
    document = read_route(look.backend.keyvalues, look.environment).document
    if document is None or document.release != look.live.release.name:
        return  # which was named already
    if not serves(document, look.environment.canary or look.live):
        shown = _told(look.environment.canary)
        yield Drift("canary", f"viewers see another canary, history says {shown}", look.mend)


def maintenance(look: Look) -> Iterator[Drift]:
    """Do the routing documents keep viewers out just when the history says so?"""
    environment, told = look.environment, look.environment.maintenance
    if environment.strategy == Strategy.COPY:
        return
    route = read_route(look.backend.keyvalues, environment)
    down = {key for key in route.values if (one := route.document_of(key)) and one.maintenance}
    if bool(down) == bool(told) and len(down) in {0, len(route.values)}:
        return
    state = "on" if told else "off"
    yield Drift(
        "maintenance",
        f"{', '.join(sorted(down)) or 'no host'} is in maintenance, history says {state}",
        f"manage.py maintenance {state} --environment {environment} --yes",
    )


def route_faults(look: Look) -> Iterator[str]:
    """Does every routing key hold the document of what is live, and no other key one?"""
    if look.environment.strategy == Strategy.COPY:
        return
    route = read_route(look.backend.keyvalues, look.environment)
    for key in route.values:
        named = route.release_of(key)
        if named != look.live.release.name:
            yield f"{key} names {named or 'nothing'}, history says {look.live.release}"
    if len(set(route.values.values())) > 1 and all(map(route.release_of, route.values)):
        yield "the routing documents differ from each other"
    for key in sorted(route.stale):
        yield f"{key} is left of a host it has lost"


def _told(canary: Deployment | None) -> str:
    return f"{canary.release} to {canary.percent} % of the viewers" if canary else "no canary"


def origin(look: Look) -> Iterator[Drift]:
    """Are the hosts answered from where the strategy puts the files?"""
    backend, environment = look.backend, look.environment
    by_copy = environment.strategy == Strategy.COPY
    if by_copy and not is_pointed(backend, environment):
        message = f"a host is not answered from below {environment.copy_prefix}"
        yield Drift("origin", message, look.mend)
    if not by_copy and backend.origins and any(map(backend.origins.prefix, environment.hosts)):
        yield Drift("origin", "a host is answered without the edge function", look.mend)


def function(look: Look) -> Iterator[Drift]:
    """Is the function live that the release was deployed with?"""
    if look.environment.strategy == Strategy.COPY:
        return
    published = functions.live(look.backend, look.environment)
    if published is None or published.digest != look.live.function.digest:
        message = f"another edge function is live than {look.live.function}"
        yield Drift("function", message, look.mend)


def reachable(look: Look) -> Iterator[Drift]:
    """Is there a host that viewers can ask?"""
    if not look.environment.hosts:
        command = f"manage.py provision --environment {look.environment}"
        yield Drift("no-host", "no host leads to the pages", command)


def first_host(look: Look) -> Iterator[Drift]:
    """Does the probed host answer with the release?"""
    if not look.environment.hosts:
        return
    for fault in answers(look.backend.viewer, look.probe()).values():
        yield Drift("answer", fault, look.mend)


def unfinished(look: Look) -> Iterator[Drift]:
    """Was a deployment interrupted?"""
    environment = look.environment
    for deployment in environment.deployments.unfinished().select_related("release"):
        # By copy its files have arrived in part: going on is shorter than going back.
        by_copy = deployment.strategy == Strategy.COPY
        command = serve_command(deployment.release, environment) if by_copy else look.mend
        yield Drift("unfinished", f"deployment {deployment.pk} was interrupted", command)
    for deployment in unfinished_since(environment, look.live):
        if hasattr(deployment, "outcome"):
            message = f"files of {deployment.release} may lie among those of {look.live.release}"
            yield Drift("mixed", message, look.mend)


def error_page_there(look: Look) -> Iterator[Drift]:
    """Is there an error page at the fixed key?"""
    by_copy = look.environment.strategy == Strategy.COPY
    if not by_copy and look.backend.objects.head(error_page.KEY) is None:
        yield Drift("error-page", f"{error_page.KEY} is missing", look.mend)


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
