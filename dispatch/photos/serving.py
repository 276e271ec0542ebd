"""Serving photos: only by the application, and only to those who may see the job."""

import re

from django.conf import settings
from django.core.files.storage import default_storage
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.module_loading import import_string
from django.views.decorators.http import require_safe

from dispatch.models import Job, Photo
from dispatch.photos.storing import FOLDER

# A database may refuse other characters. Storages may add a few to a name of ours.
NAME = re.compile(r"[0-9A-Za-z_-]{1,80}\.jpg")
HEADERS = {
    "Cache-Control": "private, max-age=3600",
    "Content-Disposition": "inline",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Referrer-Policy": "no-referrer",
}


def photo_url(name: str) -> str:
    """Return the path of a stored file, `photo.large` or `photo.small`."""
    return reverse("dispatch:photo", args=[name.removeprefix(f"{FOLDER}/")])


def may_see(request: HttpRequest, job: Job) -> bool:
    """Whether a viewer may see a job's photos.

    Staff who may view jobs do, and whomever a function of PHOTO_VIEWERS admits, which gets the
    request and the job: so another app can add its links.
    """
    user = request.user
    if user.is_active and user.is_staff and user.has_perm("dispatch.view_job"):
        return True
    return any(import_string(viewer)(request, job) for viewer in settings.PHOTO_VIEWERS)


@require_safe
def photo(request: HttpRequest, name: str) -> HttpResponse:
    """Send one size of a photo. 404 for all who may not see it, as if there were none."""
    row = photo_of(name)
    if row is None or not may_see(request, row.job):
        raise Http404
    return photo_response(name)


def photo_of(name: str) -> Photo | None:
    """Return the photo that has a file of this name, with its job, or None."""
    if not NAME.fullmatch(name):
        return None
    path = f"{FOLDER}/{name}"
    photos = Photo.objects.select_related("job")
    return photos.filter(Q(large=path) | Q(small=path)).first()


def photo_response(name: str) -> HttpResponse:
    """Return a file of a photo, to viewers who may see it. Raises Http404 if it is gone."""
    try:
        with default_storage.open(f"{FOLDER}/{name}") as file:
            content = file.read()  # less than 1 MB
    except FileNotFoundError:
        raise Http404 from None
    return HttpResponse(content, content_type="image/jpeg", headers=HEADERS)
