"""The pages that promote, start a canary and roll back: plan, diff, reason, confirmation.

They show the same plan as the commands. A confirmed plan becomes an operation, which a task runs.
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
    replaced_by,
)
from deployments.operations.run import ask
from edge.backends import get_backend
from edge.errors import EdgeError

TEMPLATE = "admin/deployments/environment/deploy.html"
SHARES = (1, 5, 10, 25, 50)
LISTED_FILES = 100
# Distinct statuses, so that monitors can distinguish refusals from back-end failures.
CONFLICT, BAD_GATEWAY, UNPROCESSABLE = 409, 502, 422
VERBS = {Kind.PROMOTE: "Promote to", Kind.CANARY: "Canary on", Kind.ROLLBACK: "Roll back"}


class ConfirmForm(ReasonForm):
    """A reason, and the proposal the operator saw when giving it."""

    seen = forms.CharField(widget=forms.HiddenInput, max_length=2000)


def deploy_page(
    request: HttpRequest, environment: Environment, context: dict[str, Any], kind: str
) -> HttpResponse:
    """Show a proposal; on a POST that confirms this very proposal, start it."""
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
        shown |= {"refusal": error, "status": status_of(error)}
    shown |= {"title": f"{VERBS[Kind(kind)]} {environment}", "kind": kind}
    return TemplateResponse(request, TEMPLATE, {**context, **shown}, status=shown.pop("status"))


def read_request(kind: Kind, environment: Environment, query: QueryDict) -> DeployRequest:
    """Return the request in `query`; defaults come from the state of the environment.

    While a canary runs, a promotion finishes it and a new share changes it. Raises Refused.
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
    """Return the share in `text`, or else the next larger of SHARES.

    Raises Refused.
    """
    if not text:
        now = canary.percent if canary and canary.percent else SHARES[0]
        return next((share for share in SHARES if share > now), now)
    # int() raises ValueError for thousands of digits.
    if not text.isdecimal() or len(text) > len(str(MOST_PERCENT)):
        raise Refused(
            "canary-share",
            f"A canary takes 1 to {MOST_PERCENT}% of viewers, not '{text}'.",
            "Choose another share.",
        )
    return int(text)


def _choices(asked: DeployRequest) -> dict[str, Any]:
    """Return the choices the page offers."""
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
    """Start a confirmed proposal, or return None for an invalid form. Raises ChangedMeanwhile."""
    if not form.is_valid():
        return None
    environment = proposal.plan.target.environment
    if form.cleaned_data["seen"] != proposal.seen:
        raise ChangedMeanwhile(
            "proposal-changed",
            f"What {environment} serves or would be given has changed since you opened this page. "
            "Nothing was done.",
            "Open the page again and review the current plan.",
        )
    reason = form.cleaned_data["reason"]
    operation = ask(
        environment=environment, proposal=proposal, actor=actor_of(request.user), reason=reason
    )
    address = "admin:deployments_environment_operation"
    return HttpResponseRedirect(reverse(address, args=[environment.pk, operation.pk]))


def _shown(form: ConfirmForm, proposal: Proposal) -> dict[str, Any]:
    """Return the plan, its diff, and a form that carries what the operator saw."""
    plan = proposal.plan
    before = replaced_by(plan)
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


def status_of(error: DeploymentError | EdgeError) -> int:
    """Return the status of a page that shows an error."""
    return BAD_GATEWAY if isinstance(error, EdgeError) else CONFLICT
