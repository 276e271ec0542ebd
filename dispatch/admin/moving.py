"""Moving jobs in the admin by a list action. The job page moves its job with its form."""

from collections.abc import Callable, Iterable
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from unfold.widgets import UnfoldAdminRadioSelectWidget, UnfoldAdminTextInputWidget

from dispatch.changing import move_job
from dispatch.errors import DispatchError
from dispatch.models import Job
from dispatch.statuses import Status

# Refusals that are listed at once; more are listed when the message is opened.
MOST_SHOWN = 10
ListAction = Callable[[Any, HttpRequest, QuerySet[Job]], HttpResponse | None]


class CancelForm(forms.Form):
    """Who is cancelling, and why."""

    side = forms.ChoiceField(
        label="Who is cancelling?",
        choices=Job.CancelSide.choices,
        widget=UnfoldAdminRadioSelectWidget,
        error_messages={"required": "Choose who is cancelling."},
    )
    reason = forms.CharField(
        max_length=300,
        widget=UnfoldAdminTextInputWidget,
        error_messages={"required": "Enter a reason."},
    )


def move_and_report(
    *, request: HttpRequest, jobs: Iterable[Job], to: Status, reason: str = "", side: str = ""
) -> None:
    """Move each job separately and report every result."""
    moved: list[str] = []
    refused: list[str] = []
    for job in jobs:
        try:
            move_job(job=job, to=to, actor=actor_of(request), reason=reason, side=side)
        except DispatchError as refusal:
            refused.append(str(refusal))
        else:
            moved.append(job.label)
    if refused:
        messages.warning(request, refusals(refused, of=len(moved) + len(refused)))
    if moved:
        report_moved(request, to, moved)


def refusals(texts: list[str], *, of: int) -> str:
    """Return one message for any number of refusals: a long list is closed at first."""
    if len(texts) == 1:
        return texts[0]
    lines = format_html_join("", "<li>{}</li>", [(text,) for text in texts])
    return format_html(
        "<details {}><summary>{} of {} jobs were not moved.</summary><ul>{}</ul></details>",
        SafeString("open" if len(texts) <= MOST_SHOWN else ""),
        len(texts),
        of,
        lines,
    )


def report_moved(request: HttpRequest, to: Status, labels: list[str]) -> None:
    messages.success(request, f"Moved to “{to.label}”: {', '.join(labels)}.")


def actor_of(request: HttpRequest) -> str:
    return request.user.get_username()


def move_action(to: Status) -> tuple[ListAction, str, str]:
    """Return the list action that moves the selected jobs to `to`."""

    def action(model_admin: Any, request: HttpRequest, queryset: QuerySet[Job]) -> None:
        move_and_report(request=request, jobs=queryset.select_related("service"), to=to)

    return action, f"move_to_{to.value}", f"Move to: {to.label}"


def cancel_action(
    model_admin: Any, request: HttpRequest, queryset: QuerySet[Job]
) -> HttpResponse | None:
    """Ask for side and reason, then cancel. A single job returns to its page."""
    jobs = list(queryset.select_related("service"))
    form = CancelForm(request.POST if "confirmed" in request.POST else None)
    if not form.is_valid():
        return _confirmation_page(model_admin, request, jobs, form)
    move_and_report(request=request, jobs=jobs, to=Status.CANCELLED, **form.cleaned_data)
    if len(jobs) == 1:
        return HttpResponseRedirect(reverse("admin:dispatch_job_change", args=[jobs[0].pk]))
    return None


def _confirmation_page(
    model_admin: Any, request: HttpRequest, jobs: list[Job], form: CancelForm
) -> TemplateResponse:
    context = {
        **model_admin.admin_site.each_context(request),
        "title": "Cancel " + (jobs[0].label if len(jobs) == 1 else f"{len(jobs)} jobs"),
        "opts": Job._meta,
        "jobs": jobs,
        "form": form,
        "action_checkbox_name": ACTION_CHECKBOX_NAME,
        "list_url": reverse("admin:dispatch_job_changelist"),
    }
    return TemplateResponse(request, "dispatch/cancel_jobs.html", context)
