"""The board's endpoints."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.utils.cache import get_conditional_response
from django.views.decorators.http import require_POST, require_safe

from dispatch.models import Job
from office.board import answers
from office.board.access import CHANGE, for_actors, for_readers, may, viewer_of
from office.board.acting import act
from office.board.asking import LARGEST, BadBody, body_of
from office.board.days import parse_day
from office.board.document import VERSION, board_document
from office.board.finding import found
from office.board.panel import panel_of
from office.board.stamp import stamp


@require_safe
@for_readers
def board(request: HttpRequest) -> HttpResponse:
    """Return the board of ?day=, or of today, to staff who may view jobs; 304 if it is unchanged.

    The stamp is read before the board, so a change between the two is only sent twice.
    """
    now = timezone.now()
    day = parse_day(request.GET.get("day", timezone.localdate(now).isoformat()))
    if day is None:
        error, hint = "There is no such day.", "Expected a day like 2026-11-23."
        return JsonResponse({"error": error, "hint": hint}, status=answers.BAD_REQUEST)
    viewer = viewer_of(request)
    session = request.META.get("CSRF_COOKIE", "")  # a new one makes the token of a 304 useless
    etag = f'"{stamp(day, now, VERSION, viewer.name, viewer.may(CHANGE), session)}"'
    unchanged = get_conditional_response(request, etag=etag)
    answer = unchanged or JsonResponse(
        board_document(day, now, viewer=viewer),
        json_dumps_params={"separators": (",", ":")},
    )
    answer["ETag"] = etag
    return answer


@require_POST
@for_actors
def acts(request: HttpRequest) -> HttpResponse:
    """Do one act, which the body names."""
    try:
        body = body_of(request)
    except BadBody as refusal:
        return answers.bad(refusal)
    return act(body, actor=request.user.get_username())


@require_safe
@for_readers
def job(request: HttpRequest, pk: int) -> HttpResponse:
    """Return the panel of one job."""
    jobs = Job.objects.select_related("customer", "service", "crew").prefetch_related("photos")
    shown = jobs.filter(pk=pk).first() if pk <= LARGEST else None
    if shown is None:
        return answers.not_found()
    return JsonResponse(panel_of(shown, timezone.now(), may_change=may(request, CHANGE)))


@require_safe
@for_readers
def search(request: HttpRequest) -> HttpResponse:
    """Return the jobs that ?q= finds."""
    return JsonResponse(found(request.GET.get("q", "")))
