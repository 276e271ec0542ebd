"""From a request to an operation: the same operations that the admin's buttons start."""

from django.http import HttpRequest

from deployments.api.requests import Action, received_archive
from deployments.api.tokens import check_covers
from deployments.models import ApiToken, Deployment, Environment, Operation, Release
from deployments.operations.archives import check_takes_archives, push_archive
from deployments.operations.proposals import DeployRequest, propose
from deployments.operations.run import ask
from deployments.releases.provenance import Provenance
from edge.backends import get_backend

Parameters = dict[str, str]


def ask_for(request: HttpRequest, token: ApiToken, wanted: Parameters) -> Operation:
    """Start the operation that a request asks for. Raises Refused, EdgeError."""
    action = Action(wanted["action"])
    environment = _covered(token, wanted.get(_where(action), ""), action)
    if action == Action.PUSH:
        return _push(request, token, environment, wanted)
    return _deploy(token, environment, action, wanted)


def _where(action: Action) -> str:
    return "to" if action == Action.PROMOTE else "environment"


def _covered(token: ApiToken, name: str, action: Action) -> Environment:
    """Return the environment to change. Raises NotCovered."""
    environment = Environment.objects.filter(name=name).first()
    check_covers(token, environment, action)
    assert environment is not None  # noqa: S101 - check_covers has refused it
    return environment


def _push(
    request: HttpRequest, token: ApiToken, environment: Environment, wanted: Parameters
) -> Operation:
    """Keep the archive and start its push."""
    check_takes_archives(environment)
    provenance = Provenance(
        **{name: wanted.get(name, "") for name in ("commit", "branch", "author")}
    )
    with received_archive(request) as archive:
        return push_archive(
            environment=environment,
            archive=archive,
            actor=token.actor,
            reason=wanted.get("message", ""),
            provenance=provenance,
        )


def _deploy(
    token: ApiToken, environment: Environment, action: Action, wanted: Parameters
) -> Operation:
    reason = wanted.get("reason", "")
    asked = DeployRequest(
        kind=Deployment.Kind(action.value),
        environment=environment,
        source=Environment.objects.named(wanted["from"]) if wanted.get("from") else None,
        release=_named(wanted.get("release", "")),
    )
    proposal = propose(get_backend(), asked, actor=token.actor, reason=reason)
    return ask(environment=environment, proposal=proposal, actor=token.actor, reason=reason)


def _named(release: str) -> Release | None:
    return Release.objects.named(release) if release else None
