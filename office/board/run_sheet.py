"""The run sheet: a crew's jobs of a day in order, to print and to take along."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from dispatch.models import Crew, Job
from dispatch.runs import run_of
from office.board.access import CHANGE, VIEW, may
from office.board.cards import map_of, phone_text, units_of
from office.board.days import parse_day


@require_safe
@cache_control(no_store=True)
def run_sheet(request: HttpRequest, crew: int, day: str) -> HttpResponse:
    """Show the sheet to staff who may view jobs; gate codes only to those who may change them."""
    if not may(request, VIEW):
        raise PermissionDenied
    found, on = get_object_or_404(Crew, pk=crew), parse_day(day)
    if on is None:
        raise Http404
    today = timezone.localdate()
    jobs = [_line(job, may_change=may(request, CHANGE)) for job in run_of(found, on, today=today)]
    context = {
        "crew": found,
        "day": on,
        "jobs": jobs,
        "units": sum(job["units"] for job in jobs),
        "printed_at": timezone.now(),
    }
    answer = render(request, "office/run_sheet.html", context)
    answer["X-Robots-Tag"] = "noindex"
    return answer


def _line(job: Job, *, may_change: bool) -> dict[str, Any]:
    return {
        "job": job,
        "map": map_of(job),
        "phone": phone_text(job.customer.e164),
        "units": units_of(job),
        "price": job.price,
        "notes": job.access_notes if may_change and job.is_open else "",
    }
