"""What the office does with tracking links, for one job or for many: send, replace, revoke."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet, TextChoices
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.widgets import UnfoldAdminTextInputWidget

from dispatch.models import Job
from tracking.errors import LinkNotActive, TrackingError
from tracking.links import resend_link, revoke_link, rotate
from tracking.models import TrackingLink

NO_REASON = "Enter a reason. It is kept with the link."
ListAction = Callable[[Any, HttpRequest, QuerySet[Job]], HttpResponse | None]


class Do(TextChoices):
    """What to do with a link."""

    RESEND = "resend", "Send it again: the customer gets it by email, or as a text message"
    REPLACE = "replace", "Replace it: the old link stops working, and the customer gets a new one"
    REVOKE = "revoke", "Revoke it: the customer can no longer follow the job"


# In the list of actions, and above what was done.
TITLES = {
    Do.RESEND: "Send tracking links again",
    Do.REPLACE: "Replace tracking links",
    Do.REVOKE: "Revoke tracking links",
}
DONE = {
    Do.RESEND: "The link is on its way to the customer",
    Do.REPLACE: "Replaced; the new link goes to the customer's addresses, if there are any",
    Do.REVOKE: "The link no longer works",
}


class ReasonForm(forms.Form):
    """Why links are replaced or revoked."""

    reason = forms.CharField(
        max_length=300,
        widget=UnfoldAdminTextInputWidget,
        error_messages={"required": NO_REASON},
    )


def carry_out(do: Do, *, jobs: Iterable[Job], request: HttpRequest, reason: str = "") -> None:
    """Do it for each job separately; report every job, those with the same result together."""
    done, refused = [], defaultdict(list)
    for job in jobs:
        try:
            _carry_out(do, job=job, actor=request.user.get_username(), reason=reason)
        except TrackingError as refusal:
            refused[str(refusal)].append(job.label)
        else:
            done.append(job.label)
    for why, labels in refused.items():
        messages.warning(request, f"{', '.join(labels)}: {why}")
    if done:
        messages.success(request, f"{DONE[do]}: {', '.join(done)}.")


def link_action(do: Do) -> tuple[ListAction, str, str]:
    """Return the list action that does this with the links of the selected jobs."""
    name = f"{do.value}_links"

    def action(
        model_admin: Any, request: HttpRequest, queryset: QuerySet[Job]
    ) -> HttpResponse | None:
        jobs = list(queryset)
        asked = forms.Form if do == Do.RESEND else ReasonForm
        form = asked(request.POST if "confirmed" in request.POST else None)
        if form.is_valid():
            carry_out(do, jobs=jobs, request=request, **form.cleaned_data)
            return None
        context = _confirmation(do, jobs) | {
            **model_admin.admin_site.each_context(request),
            "action": name,
            "form": form,
        }
        return TemplateResponse(request, "tracking/admin_links.html", context)

    return action, name, f"{TITLES[do]}…"


def active_link(job: Job) -> TrackingLink | None:
    """Return the job's active link, or None."""
    return TrackingLink.objects.active().filter(job=job).select_related("job").first()


def _carry_out(do: Do, *, job: Job, actor: str, reason: str) -> None:
    link = active_link(job)
    if link is None:
        raise LinkNotActive("Expected an active link, found none.", "Create one on the job's page.")
    if do == Do.RESEND:
        resend_link(link=link, actor=actor)
    elif do == Do.REPLACE:
        rotate(link=link, actor=actor, reason=reason)
    else:
        revoke_link(link=link, actor=actor, reason=reason)


def _confirmation(do: Do, jobs: list[Job]) -> dict[str, Any]:
    return {
        "title": f"{TITLES[do]}: {len(jobs)} job{'' if len(jobs) == 1 else 's'}",
        "explained": do.label,
        "is_final": do != Do.RESEND,
        "jobs": jobs,
        "opts": Job._meta,
        "action_checkbox_name": ACTION_CHECKBOX_NAME,
        "list_url": reverse("admin:dispatch_job_changelist"),
    }
