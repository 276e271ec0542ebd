"""The page of an operation: its steps as they happen, with or without JavaScript."""

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
    """Show a requested operation and its progress."""
    shown = _shown(environment, number)
    title = f"{shown['progress'].kind}, operation {number}"
    return TemplateResponse(request, PAGE, {**context, **shown, "title": title})


def steps_part(
    request: HttpRequest, environment: Environment, context: dict[str, Any], number: int
) -> HttpResponse:
    """Return the part of the page that changes; polled every second until the operation ends."""
    answer = TemplateResponse(request, PART, {**context, **_shown(environment, number)})
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _shown(environment: Environment, number: int) -> dict[str, Any]:
    found = environment.operations.select_related("environment", "deployment")
    operation: Operation = get_object_or_404(found, pk=number)
    # Read the state before the steps, so that a finished operation never lacks its last steps.
    now = progress.of(operation)
    return {
        "operation": operation,
        "progress": now,
        "steps": list(operation.steps.all()),
    }
