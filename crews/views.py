"""The pages behind a crew's link. GET changes nothing; forms work without JavaScript."""

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from uuid import uuid5

from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.templatetags.static import static
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from crews.admission import for_crew
from crews.models import CrewLink
from crews.page import page_context
from crews.run import jobs_of
from crews.steps import Act
from crews.tapping import Outcome, Result, carry_out
from crews.taps import MOST_TAPS, Tap, TapUnreadable, read_tap
from crews.wording import UNREADABLE
from dispatch.photos.fields import PhotosField
from dispatch.photos.serving import photo_of, photo_response

# What the worker keeps besides the run.
SHELL = ("crews/run.css", "crews/run.js")


@require_http_methods(["GET", "HEAD", "POST"])
@for_crew
@gzip_page
def run(request: HttpRequest, link: CrewLink) -> HttpResponse:
    """Show the run; on POST carry out one tap of it."""
    if request.method != "POST":
        return _page(request, link)
    try:
        tap = read_tap(request.POST)
    except TapUnreadable:
        return _page(request, link, notice=str(UNREADABLE))
    return _answer(request, link, tap, carry_out(link=link, tap=tap))


@require_POST
@for_crew
def photos(request: HttpRequest, link: CrewLink) -> HttpResponse:
    """Carry out a tap with photos: those of the visit, or why the crew could not do the job."""
    try:
        tap = read_tap(request.POST)
    except TapUnreadable:
        return _page(request, link, notice=str(UNREADABLE))
    outcome = _with_photos(request, link, tap)
    if request.headers.get("Accept") == "application/json":
        return JsonResponse({"results": [outcome.as_json()]})
    return _answer(request, link, tap, outcome)


@require_POST
@for_crew
def taps(request: HttpRequest, link: CrewLink) -> HttpResponse:
    """Carry out taps that waited on the phone, in order: `{"taps": [...]}`; answer for each."""
    try:
        found = [read_tap(one) for one in _listed(request)]
    except (ValueError, RecursionError):
        error = {"code": "unreadable", "error": str(UNREADABLE), "hint": _("Open the page again.")}
        return JsonResponse(error, status=HTTPStatus.BAD_REQUEST)
    results = [carry_out(link=link, tap=tap).as_json() for tap in found]
    return JsonResponse({"results": results})


@require_safe
@for_crew
def photo(request: HttpRequest, link: CrewLink, name: str) -> HttpResponse:
    """Send one size of a photo of a job on the run; 404 for all others."""
    row = photo_of(name)
    if row is None or not jobs_of(link).filter(pk=row.job_id).exists():
        return HttpResponse(status=HTTPStatus.NOT_FOUND)
    try:
        return photo_response(name)
    except Http404:
        return HttpResponse(status=HTTPStatus.NOT_FOUND)


@require_safe
def worker(request: HttpRequest) -> HttpResponse:
    """Send the service worker. Its scope is the folder of its address, /crew/."""
    context = {"shell": json.dumps([static(path) for path in SHELL])}
    response = render(request, "crews/sw.js", context, content_type="text/javascript")
    response["Cache-Control"] = "no-cache"
    return response


def _with_photos(request: HttpRequest, link: CrewLink, tap: Tap) -> Outcome:
    """Carry out a tap whose form may have photos; they are refused before it counts."""
    try:
        ready = PhotosField(required=False).clean(request.FILES.getlist("photos"))
    except ValidationError as error:
        return Outcome(tap.key, Result.REFUSED, " ".join(error.messages))
    if tap.act == Act.PHOTO and not ready:
        return Outcome(tap.key, Result.REFUSED, _("Choose a photo first."))
    if tap.act == Act.PHOTO:
        return carry_out(link=link, tap=tap, photos=ready)
    outcome = carry_out(link=link, tap=tap)
    if ready and outcome.result != Result.REFUSED:
        return carry_out(link=link, tap=_photo_of(tap), photos=ready)
    return outcome


def _photo_of(tap: Tap) -> Tap:
    """Return the tap of the photos that came with another, with a key that follows from its key."""
    return Tap(key=uuid5(tap.key, Act.PHOTO), act=Act.PHOTO, job=tap.job, at=tap.at)


def _listed(request: HttpRequest) -> list[Mapping[str, Any]]:
    """Return the taps of a body as they were sent. Raises ValueError."""
    if request.content_type != "application/json":
        raise ValueError("Expected JSON.")  # the fields of a form were read already
    body = json.loads(request.body)
    found = body.get("taps") if isinstance(body, dict) else None
    if not isinstance(found, list) or len(found) > MOST_TAPS:
        raise ValueError("Expected a list of taps.")
    if not all(isinstance(one, dict) for one in found):
        raise ValueError("Expected each tap as an object.")
    return found


def _answer(request: HttpRequest, link: CrewLink, tap: Tap, outcome: Outcome) -> HttpResponse:
    """Lead a browser without JavaScript back to the job, or say why the tap was refused."""
    if outcome.result == Result.REFUSED:
        return _page(request, link, notice=outcome.words, job=tap.job)
    url = reverse("crews:run", args=[link.token])
    response = HttpResponseRedirect(f"{url}#job-{tap.job}")
    response.status_code = HTTPStatus.SEE_OTHER
    return response


def _page(
    request: HttpRequest, link: CrewLink, *, notice: str = "", job: int | None = None
) -> HttpResponse:
    context = page_context(link, notice=notice, refused=job)
    status = HTTPStatus.UNPROCESSABLE_ENTITY if notice else HTTPStatus.OK
    return render(request, "crews/run.html", context, status=status)
