"""The customer pages that the application serves: the booking form's response and the job page.

GET changes nothing, because mail scanners follow links.
"""

from collections.abc import Callable
from functools import wraps
from uuid import uuid4

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from dispatch.booking import book
from dispatch.errors import ValueRefused
from dispatch.forms import BookingForm
from tracking.documents import public_document
from tracking.links import ensure_first_link, find_link, token_in, tracking_url
from tracking.origins import is_own_page
from tracking.wording import job_view

SEND_AGAIN = "Check your details, then press Send again."
PRIVATE = {
    "Cache-Control": "private, no-store",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex",
}
View = Callable[..., HttpResponse]


def private(view: View) -> View:
    """Keep private pages out of caches, search engines and other sites' logs."""

    @wraps(view)
    def wrapped(request: HttpRequest, *args: str, **kwargs: str) -> HttpResponse:
        response = view(request, *args, **kwargs)
        for name, value in PRIVATE.items():
            response[name] = value
        return response

    return wrapped


@csrf_exempt  # tracking.origins checks instead: the form's page is a static file
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def book_request(request: HttpRequest) -> HttpResponse:
    """Book a job on POST; otherwise show the form with a new key."""
    if request.method != "POST":
        return _form_page(request, BookingForm(initial={"form_key": uuid4()}))
    if not is_own_page(request):
        return render(request, "tracking/refused.html", status=403)
    form = BookingForm(request.POST)
    if form.is_valid():
        return _book(request, form)
    if form.looks_like_spam:
        return _form_page(request, _without_honeypot(request), notice=SEND_AGAIN)
    if form.has_error("form_key"):
        form = form.with_fresh_key()
    # If only the key was missing, the form is now valid: sending it again books the job.
    notice = SEND_AGAIN if form.is_valid() else ""
    return _form_page(request, form, notice=notice, status=200 if notice else 422)


@private
@require_safe
def job_page(request: HttpRequest, token: str) -> HttpResponse:
    """Show one job without JavaScript, from the document that track.js reads."""
    link = find_link(token)
    if link is None:
        return _inactive(request)
    document = public_document(link.job)
    context = {
        "job": document,
        "view": job_view(document, timezone.now()),
        "save": tracking_url(link),
    }
    return render(request, "tracking/job.html", context)


@private
@require_safe
def find_page(request: HttpRequest) -> HttpResponse:
    """Ask for a link or code, and redirect to its job."""
    pasted = request.GET.get("link", "")
    token = token_in(pasted)
    if token:
        return redirect("tracking:job", token=token)
    return render(request, "tracking/find.html", {"unreadable": bool(pasted.strip())})


def _book(request: HttpRequest, form: BookingForm) -> HttpResponse:
    booking = form.to_request(remote_address=request.META.get("REMOTE_ADDR", ""))
    try:
        booked = book(request=booking, form_key=form.cleaned_data["form_key"])
    except ValueRefused as error:
        return _form_page(request, form, notice=str(error), status=422)
    link = ensure_first_link(job=booked.job, actor="customer")
    if link is None:
        return _inactive(request)
    response = HttpResponseRedirect(reverse("tracking:job", kwargs={"token": link.token}))
    response.status_code = 303  # See Other: the browser follows with GET
    response["Referrer-Policy"] = "no-referrer"
    return response


@private
def _inactive(request: HttpRequest) -> HttpResponse:
    return render(request, "tracking/inactive.html", status=404)


def _without_honeypot(request: HttpRequest) -> BookingForm:
    """Return the form with the honeypot emptied, in case a person's browser filled it in."""
    data = request.POST.copy()
    data["website"], data["form_key"] = "", str(uuid4())
    return BookingForm(data)


def _form_page(
    request: HttpRequest, form: BookingForm, *, notice: str = "", status: int = 200
) -> HttpResponse:
    problems = [field for field in form.visible_fields() if field.errors]
    context = {"form": form, "problems": problems, "notice": notice}
    return render(request, "tracking/book.html", context, status=status)
