"""The pages on which customers change their job: one for each action, without JavaScript.

GET shows a form with a key of its own and changes nothing. POST acts, and leads back to the job.
"""

from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from dispatch.customer_actions.changed import changes_since
from dispatch.customer_actions.results import result_of
from dispatch.customer_actions.rules import Action, CutOffPassed, refusal_of
from dispatch.customer_actions.windows import listed, windows_for
from dispatch.errors import ActionRefused, JobChangedMeanwhile, ValueRefused
from dispatch.models import Job
from dispatch.photos.storing import PhotosNotStored
from dispatch.price_questions import question_of
from dispatch.times import interval_text
from dispatch.windows.capacity import ALTERNATIVES, WindowFull
from tracking.access import SEE_OTHER, unlocked_link
from tracking.action_forms import FORMS, ActionForm
from tracking.action_texts import TEXTS
from tracking.actions import offered
from tracking.models import TrackingLink
from tracking.origins import is_own_page
from tracking.private_pages import View, private

OK, FORBIDDEN, CONFLICT, INVALID, NOT_STORED = 200, 403, 409, 422, 503
Page = dict[str, Any]


def _page_of(action: Action) -> View:
    """Return the view of an action."""

    @csrf_exempt  # tracking.origins checks instead, as for the booking form
    @private
    @require_http_methods(["GET", "HEAD", "POST"])
    @unlocked_link
    def view(request: HttpRequest, link: TrackingLink) -> HttpResponse:
        with translation.override(link.job.language):
            return _answer(request, link, action)

    return view


move, cancel, pickup, price, photos, gate = (
    _page_of(action)
    for action in (
        *(Action.MOVE, Action.CANCEL, Action.PICKUP),
        *(Action.PRICE, Action.PHOTOS, Action.GATE),
    )
)


def _answer(request: HttpRequest, link: TrackingLink, action: Action) -> HttpResponse:
    now, make = timezone.now(), FORMS[action]
    if request.method != "POST":
        return _page(request, link, action, make(link.job, now))
    if not is_own_page(request):
        return render(request, "tracking/refused_post.html", status=FORBIDDEN)
    form = make(link.job, now, request.POST, request.FILES)
    if form.has_error("form_key") or form.has_error("revision"):
        notice = _("Check your answers, then send again.")
        return _page(request, link, action, form.as_typed(), notice=notice, status=INVALID)
    if not form.is_valid():
        return _page(request, link, action, form, status=INVALID)
    return _act(request, link, action, form)


def _act(
    request: HttpRequest, link: TrackingLink, action: Action, form: ActionForm
) -> HttpResponse:
    try:
        event = form.act()
    except JobChangedMeanwhile as error:
        return _stale(request, link, action, form, error)
    except ActionRefused as refused:
        return _refusal(request, link, action, refused, status=CONFLICT)
    except WindowFull as full:
        form.add_error("window", str(full))
    except ValueRefused as error:
        form.add_error(error.field or None, str(error))
    except PhotosNotStored:
        notice = _("The photos could not be saved, so nothing was sent. Try again in a minute.")
        return _page(request, link, action, form, notice=notice, status=NOT_STORED)
    else:
        return _to_job(link, done=result_of(event).value)
    return _page(request, link, action, form, status=INVALID)


def _stale(
    request: HttpRequest,
    link: TrackingLink,
    action: Action,
    form: ActionForm,
    error: JobChangedMeanwhile,
) -> HttpResponse:
    """Say what changed, and show the form with what was typed and today's facts."""
    job = Job.with_probes.select_related("customer", "service", "crew").get(pk=link.job_id)
    link.job = form.job = job
    changed = changes_since(job, form.cleaned_data["revision"], form.now)
    notice = " ".join([error.message, *changed, error.hint])
    return _page(request, link, action, form.as_typed(), notice=notice, status=CONFLICT)


def _page(
    request: HttpRequest,
    link: TrackingLink,
    action: Action,
    form: ActionForm,
    *,
    notice: str = "",
    status: int = OK,
) -> HttpResponse:
    """Show the form, or why the job does not allow the action now."""
    if refused := refusal_of(action, link.job, form.now):
        return _refusal(request, link, action, refused, notice=notice, status=status)
    context = {
        **_context(link, action),
        "form": form,
        "problems": [field for field in form.visible_fields() if field.errors],
        "notice": notice,
        "facts": _facts(link.job, action),
        "photos_again": bool(request.FILES),
    }
    return render(request, "tracking/actions/form.html", context, status=status)


def _refusal(
    request: HttpRequest,
    link: TrackingLink,
    action: Action,
    refused: ActionRefused,
    *,
    notice: str = "",
    status: int = OK,
) -> HttpResponse:
    context = {
        **_context(link, action),
        "refused": refused,
        "notice": notice,
        "instead": offered(link, map(Action, refused.instead)),
    }
    if isinstance(refused, CutOffPassed):
        now = timezone.now()
        context["free"] = listed(windows_for(link.job, now, ALTERNATIVES), now)
    return render(request, "tracking/actions/refusal.html", context, status=status)


def _context(link: TrackingLink, action: Action) -> Page:
    back = reverse("tracking:job", kwargs={"token": link.token})
    return {"job": link.job, "action": action.value, "text": TEXTS[action], "back": back}


def _facts(job: Job, action: Action) -> list[tuple[str, str]]:
    """Return what the customer decides by, as names and values."""
    facts = [(_("Job"), f"{job.label}, {job.service.name}")]
    if job.window_start and job.window_end and not job.on_hold:
        window = interval_text(job.window_start, job.window_end, timezone.now())
        facts.append((_("Time"), window))
    if action == Action.PRICE and (question := question_of(job)):
        facts += [
            (_("Price so far"), question.before.shown),
            (_("New price"), question.price.shown),
        ]
    return facts


def _to_job(link: TrackingLink, *, done: str) -> HttpResponse:
    url = reverse("tracking:job", kwargs={"token": link.token})
    response = HttpResponseRedirect(f"{url}?{urlencode({'done': done})}")
    response.status_code = SEE_OTHER
    return response
