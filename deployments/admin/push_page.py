"""The page that pushes the surfaces to an environment."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse

from deployments.admin.forms import ReasonForm
from deployments.admin.labels import actor_of
from deployments.models import Environment
from deployments.operations.run import ask_to_push

TEMPLATE = "admin/deployments/environment/push.html"
UNPROCESSABLE = 422


class PushForm(ReasonForm):
    """The reason for a push, which is also the message of the release."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].label = "Message"
        self.fields["reason"].help_text = "What this release changes. Recorded with it."


def push_page(
    request: HttpRequest, environment: Environment, context: dict[str, Any]
) -> HttpResponse:
    """Show the form; on a valid POST, start a push. Protected environments are promoted to."""
    if environment.protected:
        raise Http404
    form = PushForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        actor, reason = actor_of(request.user), form.cleaned_data["reason"]
        operation = ask_to_push(environment=environment, actor=actor, reason=reason)
        address = "admin:deployments_environment_operation"
        return HttpResponseRedirect(reverse(address, args=[environment.pk, operation.pk]))
    shown = {"title": f"Push to {environment}", "form": form}
    status = UNPROCESSABLE if form.errors else 200
    return TemplateResponse(request, TEMPLATE, {**context, **shown}, status=status)
