"""The pages that freeze and unfreeze an environment. Only the database changes: done at once."""

from datetime import datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from unfold.widgets import UnfoldAdminTextInputWidget

from deployments.admin.reasons import ReasonForm
from deployments.admin.wording import actor_of
from deployments.freezing import freeze, unfreeze
from deployments.models import Environment

FREEZE = "admin/deployments/environment/freeze.html"
UNFREEZE = "admin/deployments/environment/unfreeze.html"
UNPROCESSABLE = 422
# What browsers write into a field for a moment.
MOMENT = "%Y-%m-%dT%H:%M"


class FreezeForm(ReasonForm):
    """Why, and until when."""

    until = forms.DateTimeField(
        required=False,
        input_formats=[MOMENT, "%Y-%m-%d %H:%M"],
        widget=UnfoldAdminTextInputWidget(attrs={"type": "datetime-local"}),
        error_messages={"invalid": "Write a moment as 2026-11-20 14:00."},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].help_text = "Told to whoever is stopped."
        zone = timezone.get_current_timezone_name()
        self.fields["until"].help_text = f"Time zone {zone}. Left empty: until somebody unfreezes."

    def clean_until(self) -> datetime | None:
        until: datetime | None = self.cleaned_data["until"]
        if until and until <= timezone.now():
            raise forms.ValidationError("That moment is over: name one to come.")
        return until


def freeze_page(
    request: HttpRequest, environment: Environment, context: dict[str, Any]
) -> HttpResponse:
    """Ask for a reason and an end; on a valid POST stop deployments."""
    form = FreezeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        freeze(environment=environment, actor=actor_of(request.user), **form.cleaned_data)
        messages.success(request, f"{environment} is frozen. Rollbacks are not stopped.")
        return _back(environment)
    shown = {"title": f"Freeze {environment}", "form": form, "frozen": environment.frozen}
    status = UNPROCESSABLE if form.errors else 200
    return TemplateResponse(request, FREEZE, {**context, **shown}, status=status)


def unfreeze_page(
    request: HttpRequest, environment: Environment, context: dict[str, Any]
) -> HttpResponse:
    """Show which freezes would be lifted; on a POST lift them."""
    if request.method == "POST":
        lifted = unfreeze(environment=environment, actor=actor_of(request.user))
        told = f"{environment} takes deployments again." if lifted else "Nothing was frozen."
        messages.success(request, told)
        return _back(environment)
    freezes = environment.freezes.in_force().select_related("release")
    shown = {"title": f"Unfreeze {environment}", "freezes": freezes}
    return TemplateResponse(request, UNFREEZE, {**context, **shown})


def _back(environment: Environment) -> HttpResponseRedirect:
    return HttpResponseRedirect(
        reverse("admin:deployments_environment_change", args=[environment.pk])
    )
