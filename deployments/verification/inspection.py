"""What checks look at, and what they report."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from deployments.deploy.plan import serve_command
from deployments.deploy.probe import Probe, preview_cookie
from deployments.models import Deployment, Environment
from deployments.routing.previews import NoSecret
from deployments.routing.routes import Route, read_route
from edge.errors import EdgeError
from edge.protocols import Backend

DOCTOR = "manage.py doctor"


@dataclass(frozen=True, slots=True)
class Drift:
    """One discrepancy with the history. `code` is stable; `command` repairs it."""

    code: str
    message: str
    command: str

    def __str__(self) -> str:
        return f"{self.message}; run: {self.command}"


@dataclass(frozen=True, slots=True)
class Inspection:
    """An environment, the deployment its history says is live, and the back end to ask."""

    backend: Backend
    environment: Environment
    live: Deployment

    @property
    def hosts(self) -> list[str]:
        """The hosts viewers use: names of this machine lead to no distribution."""
        canonical = self.environment.canonical  # the only host that answers with pages
        every = [canonical] if canonical else list(self.environment.hosts)
        if self.backend.origins is not None:
            return every
        return [host for host in every if not _is_this_machine(host)] or every

    @property
    def repair(self) -> str:
        """The command that makes the environment serve what its history says."""
        return serve_command(self.live.release, self.environment)

    def route(self) -> Route:
        """Read the routing documents. Raises EdgeError."""
        return read_route(self.backend.keyvalues, self.environment)

    def probe(self, host: str = "") -> Probe:
        """Return a probe as a viewer: it may see a canary, and a preview passes maintenance."""
        canary = self.environment.canary
        return Probe(
            self.environment,
            self.live.release,
            host=host,
            cookie=self._preview_cookie(),
            others=frozenset({canary.release.name} if canary else ()),
        )

    def _preview_cookie(self) -> str:
        """Sign a preview where maintenance or a password keeps viewers out."""
        if not self.environment.runs_function:
            return ""
        document = self.route().document
        if document is None or not (document.maintenance or document.access):
            return ""
        return preview_cookie(self.backend.keyvalues, self.environment, self.live.release)


Check = Callable[[Inspection], Iterator[Drift]]


def run_checks(inspection: Inspection, checks: Iterable[Check]) -> Iterator[Drift]:
    """Run checks; a part of the back end that does not answer is reported as drift too."""
    for check in checks:
        try:
            yield from check(inspection)
        except NoSecret as error:
            yield Drift("no-secret", error.message, inspection.repair)
        except EdgeError as error:
            yield Drift("no-answer", f"The back end does not answer: {error.message}", DOCTOR)


def _is_this_machine(host: str) -> bool:
    return host in {"localhost", "127.0.0.1", "[::1]"} or host.endswith(".localhost")
