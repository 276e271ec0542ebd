"""Where a page of the admin returns to: what `?next=` names, or the list with its filters."""

from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme


def next_url(request: HttpRequest) -> str:
    """Return the address in `?next=` if it is one of this site, or ""."""
    to = request.GET.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(
        to, {request.get_host()}, require_https=request.is_secure()
    )
    return to if is_ours else ""


def where_from(request: HttpRequest) -> str:
    """Return where the user came from, as far as the address says: by default the job list."""
    jobs = reverse("admin:dispatch_job_changelist")
    filters = request.GET.get("_changelist_filters", "")
    return next_url(request) or (f"{jobs}?{filters}" if filters else jobs)
