"""Strategies: how an environment comes to serve a release. Deploying has one path for all.

`pointer` moves a pointer that the edge function follows; `copy` copies the files to where a
distribution without the function reads them.
"""

from typing import Any, Protocol, TypeVar

from deployments.context import DeployContext
from deployments.deploy.copy import CopyStrategy
from deployments.deploy.freezes import check_not_frozen
from deployments.deploy.plan import Plan, Target
from deployments.deploy.pointer import PointerStrategy
from deployments.errors import DeploymentError
from deployments.models import Deployment, Environment
from deployments.models import Strategy as Name
from deployments.releases.store import check_whole
from edge.protocols import Backend

P = TypeVar("P", bound=Plan)


class Strategy(Protocol[P]):
    """The steps that differ between the ways of deploying."""

    def plan(self, backend: Backend, target: Target) -> P:
        """Return what deploying a target would change. Reads only. Raises Refused."""

    def resumes(self, unfinished: list[Deployment], target: Target) -> Deployment | None:
        """Return the interrupted deployment that this run resumes, if any."""

    def rehearse(self, context: DeployContext, plan: P) -> None:
        """Check that the release would be served, before anything changes. Raises Refused."""

    def carry_out(self, context: DeployContext, plan: P, deployment: Deployment) -> int:
        """Deploy and check what is served; return the number of invalidated paths.

        Raises DeploymentError, EdgeError or DatabaseError; `failed` is called then.
        """

    def failed(
        self, context: DeployContext, plan: P, deployment: Deployment, error: BaseException
    ) -> DeploymentError:
        """Undo what can be undone; return the error to raise."""

    def follow_up(self, context: DeployContext, deployment: Deployment) -> int:
        """Do what follows a successful deployment; return the number of invalidated paths."""

    def partly_deployed(self, environment: Environment) -> list[Deployment]:
        """Return the deployments whose files may be among those served."""

    def took_effect(self, backend: Backend, deployment: Deployment) -> bool:
        """Whether an interrupted deployment took place after all."""


_STRATEGIES: dict[str, Strategy[Any]] = {Name.POINTER: PointerStrategy(), Name.COPY: CopyStrategy()}


def strategy_of(row: Environment | Deployment) -> Strategy[Any]:
    """Return the strategy of an environment, or the one a deployment was made with."""
    return _STRATEGIES[row.strategy]


def plan_deployment(backend: Backend, target: Target) -> Plan:
    """Check that a target can be deployed and return what would change. Raises Refused."""
    check_whole(backend.objects, target.release)
    plan: Plan = strategy_of(target.environment).plan(backend, target)
    if not plan.is_done:
        check_not_frozen(target)
    return plan
