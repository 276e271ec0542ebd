"""The pages that freeze and unfreeze an environment. Only the database changes, so no task runs."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from unfold.widgets import UnfoldAdminTextInputWidget

from deployments.admin.forms import ReasonForm
from deployments.admin.labels import actor_of
from deployments.deploy.freezes import freeze, unfreeze
from deployments.models import Environment, Freeze
from edge.database_clock import database_now

FREEZE = "admin/deployments/environment/freeze.html"
UNFREEZE = "admin/deployments/environment/unfreeze.html"
CONFLICT, UNPROCESSABLE = 409, 422
# The format that browsers send for datetime-local inputs.
MOMENT = "%Y-%m-%dT%H:%M"
# Converted to UTC, the last hours of 9999 can exceed the range of databases and Python.
NO_END = datetime(9999, 1, 1, tzinfo=UTC)


class FreezeForm(ReasonForm):
    """The reason for a freeze, and its end."""

    until = forms.DateTimeField(
        required=False,
        input_formats=[MOMENT, "%Y-%m-%d %H:%M"],
        widget=UnfoldAdminTextInputWidget(attrs={"type": "datetime-local"}),
        error_messages={"invalid": "Enter a date and time like 2026-11-20 14:00."},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].help_text = "Shown to anyone whose deployment is refused."
        zone = timezone.get_current_timezone_name()
        self.fields["until"].help_text = f"Time zone: {zone}. Leave empty for no end."

    def clean_until(self) -> datetime | None:
        until: datetime | None = self.cleaned_data["until"]
        if until and until <= database_now():
            raise forms.ValidationError("That time is in the past. Choose a later time.")
        if until and until >= NO_END:
            raise forms.ValidationError("Leave this empty for a freeze without an end.")
        return until


def freeze_page(
    request: HttpRequest, environment: Environment, context: dict[str, Any]
) -> HttpResponse:
    """Show the form; on a valid POST, freeze the environment.

    A freeze added since the form was opened is shown before it can be replaced.
    """
    form = FreezeForm(request.POST or None)
    frozen = environment.frozen
    seen = _seen([frozen] if frozen else [])
    is_stale = _is_stale(request, seen)
    if request.method == "POST" and form.is_valid() and not is_stale:
        freeze(environment=environment, actor=actor_of(request.user), **form.cleaned_data)
        messages.success(request, f"{environment} is frozen. Rollbacks are still allowed.")
        return _back(environment)
    shown = {"title": f"Freeze {environment}", "form": form, "frozen": frozen, "seen": seen}
    return _page(request, FREEZE, {**context, **shown}, is_stale=is_stale)


def unfreeze_page(
    request: HttpRequest, environment: Environment, context: dict[str, Any]
) -> HttpResponse:
    """Show the freeze, or the guard on `?release`; lift it on a POST if it is still the same."""
    named = request.GET.get("release", "")
    in_force = environment.freezes.in_force().select_related("release")
    freezes = [one for one in in_force if str(one.release or "") == named]
    seen = _seen(freezes)
    is_stale = _is_stale(request, seen)
    if request.method == "POST" and not is_stale:
        for one in freezes:
            unfreeze(environment=environment, release=one.release, actor=actor_of(request.user))
        what = "guard" if named else "freeze"
        text = f"The {what} is lifted." if freezes else f"There was no {what} to lift."
        messages.success(request, text)
        return _back(environment)
    title = f"Lift the guard on {named}" if named else f"Unfreeze {environment}"
    shown = {"title": title, "freezes": freezes, "seen": seen, "named": named}
    return _page(request, UNFREEZE, {**context, **shown}, is_stale=is_stale)


def _seen(freezes: Iterable[Freeze]) -> str:
    """Return the keys of freezes as text, for a hidden field of the form."""
    return ",".join(str(one.pk) for one in freezes)


def _is_stale(request: HttpRequest, seen: str) -> bool:
    """Whether the freezes have changed since the confirmed page was opened."""
    return request.method == "POST" and bool(seen) and request.POST.get("seen") != seen


def _page(
    request: HttpRequest, template: str, context: dict[str, Any], *, is_stale: bool
) -> HttpResponse:
    form = context.get("form")
    status = CONFLICT if is_stale else UNPROCESSABLE if form and form.errors else 200
    return TemplateResponse(request, template, {**context, "is_stale": is_stale}, status=status)


def _back(environment: Environment) -> HttpResponseRedirect:
    return HttpResponseRedirect(
        reverse("admin:deployments_environment_change", args=[environment.pk])
    )
