"""The addresses of the API. Their answers are JSON, refusals too: code, message, hint.

No cookie is looked at, so other sites cannot make a browser send a request in a user's name, and
the CSRF check is left out.
"""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import resolve_url
from django.views.decorators.csrf import csrf_exempt

from deployments.api.answers import not_allowed, refused_with
from deployments.api.ask import ask_for
from deployments.api.refusals import NotAuthorized, NotCovered, limited, record
from deployments.api.requests import read_parameters
from deployments.api.tokens import check_covers, check_valid, find_token
from deployments.errors import DeploymentError
from deployments.models import ApiToken, Operation
from deployments.operations import progress
from edge.errors import EdgeError

ACCEPTED = 202
View = Callable[[HttpRequest, ApiToken], HttpResponse]


@csrf_exempt
def request_deployment(request: HttpRequest) -> HttpResponse:
    """POST: push an archive, promote, or roll back. Answers with the operation, which a task runs.

    202 does not mean that it succeeded: its address says how it ends.
    """
    return _answered(request, "POST", _request)


@csrf_exempt
def show_operation(request: HttpRequest, number: int) -> HttpResponse:
    """GET: the state and steps of an operation in one of the token's environments."""
    return _answered(request, "GET", lambda request, token: _show(token, number))


def _request(request: HttpRequest, token: ApiToken) -> HttpResponse:
    operation = ask_for(request, token, read_parameters(request))
    answer = JsonResponse(_state_of(operation), status=ACCEPTED)
    answer["Location"] = resolve_url("api:operation", operation.pk)
    return answer


def _show(token: ApiToken, number: int) -> HttpResponse:
    found = Operation.objects.select_related("environment", "deployment__release")
    operation = found.filter(pk=number).first()
    check_covers(token, operation.environment if operation else None)
    assert operation is not None  # noqa: S101 - check_covers has refused it
    state = _state_of(operation)  # before the steps, so that no last step is missing
    steps = [
        {"at": step.at.isoformat(), "line": step.line, "is_fault": step.is_fault}
        for step in operation.steps.all()
    ]
    return JsonResponse({**state, "steps": steps})


def _state_of(operation: Operation) -> dict[str, Any]:
    now, made = progress.of(operation), operation.deployment
    return {
        "operation": operation.pk,
        "url": resolve_url("api:operation", operation.pk),
        "environment": operation.environment.name,
        "kind": operation.kind,
        "state": Operation.State.FAILED.value if now.is_given_up else operation.state,
        "has_ended": now.has_ended,
        "note": now.note,
        "deployment": made.pk if made else None,
        "release": made.release.name if made else None,
        "asked_at": operation.asked_at.isoformat(),
        "ended_at": operation.ended_at.isoformat() if operation.ended_at else None,
    }


def _answered(request: HttpRequest, method: str, view: View) -> HttpResponse:
    token = None
    try:
        if request.method != method:
            answer = not_allowed(method)
        else:
            token = find_token(request)
            answer = view(request, check_valid(request, token))
    except (NotAuthorized, NotCovered) as refused:
        error = limited(request, refused)
        record(request, error, token)
        answer = refused_with(error)
    except (DeploymentError, EdgeError) as error:
        answer = refused_with(error)
    answer["Cache-Control"] = "no-store"
    return answer
