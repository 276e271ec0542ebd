"""Snoozing from the front page."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from dispatch.errors import ValueRefused
from dispatch.needs.snoozing import end_snooze, snooze
from office.front_page.forms import EndForm, RefusingForm, SnoozeForm


@require_POST
def snooze_need(request: HttpRequest) -> HttpResponse:
    """Hide a need, or show it again, and return to the front page with what was done."""
    if not request.user.has_perm("dispatch.change_job"):
        raise PermissionDenied
    is_end = "end" in request.POST
    form = EndForm(request.POST) if is_end else SnoozeForm(request.POST)
    if form.is_valid():
        (_end if is_end else _snooze)(request, form)
    else:
        for refusal in form.refusals():
            messages.error(request, refusal)
    return redirect("admin:index")


def _end(request: HttpRequest, form: RefusingForm) -> None:
    row = form.cleaned_data["end"]
    end_snooze(row)
    messages.success(request, f"{row.job or 'The rule'} is no longer snoozed.")


def _snooze(request: HttpRequest, form: RefusingForm) -> None:
    try:
        row = snooze(**form.cleaned_data, actor=request.user.get_username())
    except ValueRefused as refusal:
        messages.error(request, str(refusal))
    else:
        hours = (
            "1 hour" if form.cleaned_data["hours"] == 1 else f"{form.cleaned_data['hours']} hours"
        )
        messages.success(request, f"Snoozed {row.job or 'the rule'} for {hours}.")
