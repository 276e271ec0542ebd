"""The pages that promote, begin a canary and roll back: a plan, a diff, a reason, and a yes.

They show what the commands show. What is done afterwards is deployments/operations/run.py.
"""

from typing import Any

from django import forms
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.template.response import TemplateResponse
from django.urls import reverse

from deployments.admin.forms import ReasonForm
from deployments.admin.labels import actor_of
from deployments.admin.overview import rollback_choices, sources
from deployments.deploy.targets import MOST_PERCENT
from deployments.errors import ChangedMeanwhile, DeploymentError, Refused
from deployments.models import Deployment, Environment, Release
from deployments.operations.proposals import (
    KINDS,
    DeployRequest,
    Kind,
    Proposal,
    differences,
    propose,
    seen_before,
)
from deployments.operations.run import ask
from edge.backends import get_backend
from edge.errors import EdgeError

TEMPLATE = "admin/deployments/environment/deploy.html"
SHARES = (1, 5, 10, 25, 50)
LISTED_FILES = 100
# Refused, and what the back end did not do: a monitor and a test see which is which.
CONFLICT, BAD_GATEWAY, UNPROCESSABLE = 409, 502, 422
VERBS = {Kind.PROMOTE: "Promote to", Kind.CANARY: "Canary on", Kind.ROLLBACK: "Roll back"}


class ConfirmForm(ReasonForm):
    """A reason, and what was seen when it was given."""

    seen = forms.CharField(widget=forms.HiddenInput, max_length=2000)


def deploy_page(
    request: HttpRequest, environment: Environment, context: dict[str, Any], kind: str
) -> HttpResponse:
    """Show what would be done, and on a POST of just that ask for it."""
    if kind not in KINDS:
        raise Http404
    form = ConfirmForm(request.POST or None)
    shown: dict[str, Any] = {"form": form, "status": 200}
    try:
        asked = read_request(Kind(kind), environment, request.GET)
        shown |= _choices(asked)
        proposal = propose(get_backend(), asked, actor=actor_of(request.user))
        if request.method == "POST" and (done := _ask(request, form, proposal)):
            return done
        shown |= _shown(form, proposal)
    except (DeploymentError, EdgeError) as error:
        shown |= {"refusal": error, "status": _status_of(error)}
    shown |= {"title": f"{VERBS[Kind(kind)]} {environment}", "kind": kind}
    return TemplateResponse(request, TEMPLATE, {**context, **shown}, status=shown.pop("status"))


def read_request(kind: Kind, environment: Environment, query: QueryDict) -> DeployRequest:
    """Read what is asked for; what is not said is what the environment's state suggests.

    While a canary is on, it is what a promotion finishes and a canary grows. Raises Refused.
    """
    named, source, canary = query.get("release"), query.get("source"), environment.canary
    release = Release.objects.named(named) if named else None
    if release is None and canary and kind != Kind.ROLLBACK:
        release = canary.release
    return DeployRequest(
        kind=kind,
        environment=environment,
        source=Environment.objects.named(source) if source else _first_source(environment),
        release=release,
        percent=_percent(query.get("percent", ""), canary) if kind == Kind.CANARY else None,
    )


def _first_source(environment: Environment) -> Environment | None:
    return next((source.environment for source in sources(environment)), None)


def _percent(text: str, canary: Deployment | None) -> int:
    """Read a share; where nothing is said, one that is usual to begin or go on with.

    Raises Refused.
    """
    if not text:
        now = canary.percent if canary and canary.percent else SHARES[0]
        return next((share for share in SHARES if share > now), now)
    # int() refuses thousands of digits.
    if not text.isdecimal() or len(text) > len(str(MOST_PERCENT)):
        raise Refused(
            "canary-share",
            f"A canary takes 1 to {MOST_PERCENT} % of the viewers, not '{text}'.",
            "Choose another share.",
        )
    return int(text)


def _choices(asked: DeployRequest) -> dict[str, Any]:
    """Give what the page offers to choose from."""
    environment = asked.environment
    offered: dict[str, Any] = {"wish": asked}
    if asked.kind == Kind.ROLLBACK:
        return offered | {"past": rollback_choices(environment), "canary": environment.canary}
    if asked.kind == Kind.CANARY:
        offered |= {"shares": SHARES, "most_percent": MOST_PERCENT}
    if asked.release is None:
        offered["sources"] = list(sources(environment))
    return offered


def _ask(request: HttpRequest, form: ConfirmForm, proposal: Proposal) -> HttpResponse | None:
    """Ask for what was confirmed, if it is what would be done now. Raises ChangedMeanwhile."""
    if not form.is_valid():
        return None
    environment = proposal.plan.target.environment
    if form.cleaned_data["seen"] != proposal.seen:
        raise ChangedMeanwhile(
            "proposal-changed",
            f"What {environment} serves, or what would be deployed to it, changed since this page "
            "was opened. Nothing was done.",
            "Open it again and look at what would be done now.",
        )
    reason = form.cleaned_data["reason"]
    operation = ask(
        environment=environment, proposal=proposal, actor=actor_of(request.user), reason=reason
    )
    address = "admin:deployments_environment_operation"
    return HttpResponseRedirect(reverse(address, args=[environment.pk, operation.pk]))


def _shown(form: ConfirmForm, proposal: Proposal) -> dict[str, Any]:
    """Give the plan, what it changes, and the form that carries what is seen."""
    plan = proposal.plan
    before = seen_before(plan)
    diff = differences(get_backend(), before, plan)
    files = () if isinstance(diff, str) else diff.differences
    form.initial = {"seen": proposal.seen}
    return {
        "plan": plan,
        "is_done": proposal.is_done,
        "target": plan.target,
        "before": before,
        "ends_canary": before is not None and before.name != plan.live,
        "lines": [*proposal.lines(), *([diff] if isinstance(diff, str) else diff.lines())],
        "files": files[:LISTED_FILES],
        "more_files": max(0, len(files) - LISTED_FILES),
        "status": UNPROCESSABLE if form.errors else 200,
    }


def _status_of(error: DeploymentError | EdgeError) -> int:
    return BAD_GATEWAY if isinstance(error, EdgeError) else CONFLICT
