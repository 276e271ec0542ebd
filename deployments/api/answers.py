"""The answers to requests that are not carried out: a status, and JSON with code, message, hint."""

from django.http import HttpResponse, JsonResponse

from deployments.api.refusals import ApiRefused, NotAuthorized
from deployments.errors import ChangedMeanwhile, DeploymentError
from edge.errors import EdgeError

NOT_ALLOWED, CONFLICT, UNPROCESSABLE, BAD_GATEWAY = 405, 409, 422, 502


def not_allowed(method: str) -> HttpResponse:
    """Return the answer to another method."""
    content = {
        "code": "method-not-allowed",
        "message": f"This address answers {method} only.",
        "hint": f"Send {method}.",
    }
    return JsonResponse(content, status=NOT_ALLOWED, headers={"Allow": method})


def refused_with(error: DeploymentError | EdgeError) -> HttpResponse:
    """Return the answer to a request that was not carried out."""
    content = {"code": error.code, "message": error.message, "hint": error.hint}
    answer = JsonResponse(content, status=_status_of(error))
    if isinstance(error, NotAuthorized):
        answer["WWW-Authenticate"] = "Bearer"
    if isinstance(error, ApiRefused) and error.retry_after:
        answer["Retry-After"] = str(error.retry_after)
    return answer


def _status_of(error: DeploymentError | EdgeError) -> int:
    if isinstance(error, ApiRefused):
        return error.status
    if isinstance(error, EdgeError):
        return BAD_GATEWAY
    return CONFLICT if isinstance(error, ChangedMeanwhile) else UNPROCESSABLE
