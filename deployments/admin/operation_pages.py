"""The page of an operation: its steps as they happen, for people with and without JavaScript."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse

from deployments.models import Environment, Operation
from deployments.operations import progress

PAGE = "admin/deployments/environment/operation.html"
PART = "admin/deployments/environment/_steps.html"


def operation_page(
    request: HttpRequest, environment: Environment, context: dict[str, Any], number: int
) -> HttpResponse:
    """Show what was asked for and how far it is."""
    shown = _shown(environment, number)
    title = f"{shown['progress'].kind}, operation {number}"
    return TemplateResponse(request, PAGE, {**context, **shown, "title": title})


def steps_part(
    request: HttpRequest, environment: Environment, context: dict[str, Any], number: int
) -> HttpResponse:
    """Give the part of the page that changes; asked for every second while it does."""
    answer = TemplateResponse(request, PART, {**context, **_shown(environment, number)})
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _shown(environment: Environment, number: int) -> dict[str, Any]:
    found = environment.operations.select_related("environment", "deployment")
    operation: Operation = get_object_or_404(found, pk=number)
    # State before steps: what is said before the end is there when the end is.
    now = progress.of(operation)
    return {
        "operation": operation,
        "progress": now,
        "steps": list(operation.steps.all()),
    }
