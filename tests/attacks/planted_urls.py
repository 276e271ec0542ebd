"""The project's URLs, and pages with faults that the crawl must find."""

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.urls import path

from dispatch.models import Customer, Job
from qdn.urls import urlpatterns as ours


def phone_in_page(request: HttpRequest) -> HttpResponse:
    return HttpResponse(f"Call {Customer.objects.first().phone}")


def email_in_header(request: HttpRequest) -> HttpResponse:
    return HttpResponse(headers={"X-Contact": Customer.objects.first().email})


def notes_in_error(request: HttpRequest) -> HttpResponse:
    if request.method == "POST":
        return JsonResponse({"error": Job.objects.first().access_notes}, status=400)
    raise Http404


def name_for_a_wrong_number(request: HttpRequest, number: int) -> HttpResponse:
    if number:
        raise Http404
    return HttpResponse(Job.objects.first().contact_name)


def exception(request: HttpRequest) -> HttpResponse:
    job = Job.objects.first()
    raise RuntimeError(job.access_notes)


urlpatterns = [
    *ours,
    path("planted/phone/", phone_in_page),
    path("planted/email/", email_in_header),
    path("planted/notes/", notes_in_error),
    path("planted/exception/", exception),
    path("planted/<int:number>/", name_for_a_wrong_number),
]
