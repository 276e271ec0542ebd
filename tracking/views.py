"""The pages of a job that the application serves.

GET changes nothing, because mail scanners follow links.
"""

import re
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone, translation
from django.views.decorators.http import require_safe

from dispatch.calendars import CONTENT_TYPE, FILE_NAME, NoWindow, calendar_of
from dispatch.models import BookingSettings
from dispatch.search.text import JOB_NUMBER
from tracking.access import can_be_unlocked, private_context, unlock_url, unlocked
from tracking.actions import actions_for, done_text
from tracking.documents import public_document
from tracking.languages import in_their_language
from tracking.links import find_link, page_address, token_in
from tracking.models import TrackingLink
from tracking.private_pages import inactive_page, private
from tracking.qr import qr_picture
from tracking.wording import job_view

TRACK_PAGE = re.compile(r"https?://[^/?#]+(/track(?:-[\w-]+)?/[^/?#]+/?)(?:\?.*)?")


@private
@require_safe
def job_page(request: HttpRequest, token: str) -> HttpResponse:
    """Show one job without JavaScript, from the document that track.js reads."""
    link = find_link(token)
    if link is None:
        return inactive_page(request)
    with translation.override(link.job.language):
        return render(request, "tracking/job.html", _job_context(request, link, token))


@require_safe
def offline_worker(request: HttpRequest) -> HttpResponse:
    """Return the service worker with which a tracking page reloads without a signal.

    It is not part of a release, so that every release and every environment has the same one.
    """
    response = render(request, "tracking/offline.js", content_type="text/javascript")
    response["Cache-Control"] = "no-cache"
    # A prefix of /track/ and of the pages of other environments, such as /track-staging/.
    response["Service-Worker-Allowed"] = "/track"
    return response


def _job_context(request: HttpRequest, link: TrackingLink, token: str) -> dict[str, Any]:
    document = public_document(link.job, is_receipt=link.is_receipt)
    hours = BookingSettings.load().answer_hours
    now = timezone.now()
    view = job_view(document, now, answer_hours=hours)
    is_open = unlocked(request, link)
    address = page_address(token)
    context = {
        "job": document,
        "view": view,
        "save": address,
        "qr": qr_picture(address),
        "unlocked": is_open,
        "private": private_context(link) if is_open else None,
        "unlock": unlock_url(link) if can_be_unlocked(link) else "",
        "actions": actions_for(link, now),
        "done": done_text(link.job, request.GET.get("done", ""), now),
    }
    if view["window"]:
        context["calendar"] = reverse("tracking:calendar", kwargs={"token": token})
    return context


@private
@require_safe
def calendar_file(request: HttpRequest, token: str) -> HttpResponse:
    """Return the job's window as a calendar file; 404 without a window, as for unknown links.

    It is opened on other devices and shared calendars, so it has no link and no house number.
    """
    link = find_link(token)
    if link is None:
        return inactive_page(request)
    try:
        content = calendar_of(link.job)
    except NoWindow:
        return inactive_page(request)
    response = HttpResponse(content, content_type=CONTENT_TYPE)
    response["Content-Disposition"] = f'attachment; filename="{FILE_NAME}"'
    return response


@private
@in_their_language
@require_safe
def find_page(request: HttpRequest) -> HttpResponse:
    """Ask for a link or code, and redirect to its job."""
    pasted = request.GET.get("link", _track_page_before(request))
    token = token_in(pasted)
    # Links of earlier systems may be numbers too.
    if JOB_NUMBER.fullmatch(pasted.strip()) and find_link(token) is None:
        return render(request, "tracking/find.html", {"number": pasted.strip()})
    if token:
        return redirect("tracking:job", token=token)
    return render(request, "tracking/find.html", {"unreadable": bool(pasted.strip())})


def _track_page_before(request: HttpRequest) -> str:
    """Return the path of the track page that led here without JavaScript, or "".

    It is a static page and knows no token. So its link asks the browser to name the page, which it
    does to this site only.
    """
    page = TRACK_PAGE.fullmatch(request.headers.get("Referer", ""))
    return page[1] if page else ""
