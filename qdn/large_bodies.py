"""Which requests may have a larger body than a form: those that bring archives or photos.

The worker asks before it takes the body. Archives are for the deployment API, which needs a token:
one that this installation made is recognized without the database (deployments/api/token_text.py);
whether it still is valid, the API decides. Photos come from anyone, so their number at a time is
limited (qdn/arriving_request.py).
"""

import json
import re

from django.conf import settings
from django.http import HttpRequest
from django.utils import translation

from deployments.api.token_text import is_genuine
from qdn.arriving_request import RequestRefused, too_large

_UPLOAD = re.compile(rb"POST /api/deployments/(?:\?[^ ]*)? HTTP/1\.[01]\r\n")
_BEARER = re.compile(rb"\r\nauthorization:[ \t]*bearer ([^\r\n]*)", re.I)
# The booking form, the pages for photos of customers and crews, and the office's
# (dispatch/admin/photos.py).
_PHOTOS = re.compile(
    rb"POST /(?:book/request/|(?:t|crew)/[^/? ]{1,999}/photos/|admin/dispatch/job/[0-9]+/photos/)"
    rb"(?:\?[^ ]*)? HTTP/1\.[01]\r\n"
)
_LANGUAGES = re.compile(rb"\r\naccept-language:[ \t]*([^\r\n]*)", re.I)
_MULTIPART = re.compile(rb"\r\ncontent-type:[ \t]*multipart/form-data;", re.I)
# For which a browser may go on sending before it reads the answer.
_LINGER_SECONDS = 120


def check_large_body(head: bytes, size: int) -> None:
    """Accept a body that is larger than a form may be, or raise RequestRefused."""
    if _UPLOAD.match(head):
        _check_archive(head, size)
    elif _PHOTOS.match(head) and _MULTIPART.search(head):
        if size > settings.PHOTO_FORM_BYTES:
            raise _photos_too_large(head)
    else:
        raise too_large(size, settings.DATA_UPLOAD_MAX_MEMORY_SIZE)


def _check_archive(head: bytes, size: int) -> None:
    token = _BEARER.search(head)
    if not (token and is_genuine(token[1].decode("latin-1").strip())):
        raise _refused(
            "401 Unauthorized",
            "token-invalid",
            "A body of this size needs a valid token in the header Authorization.",
            "Make a token: manage.py tokens add",
        )
    if size > settings.API_UPLOAD_BYTES:
        raise _refused(
            "413 Content Too Large",
            "request-too-large",
            f"The body has {size:,} bytes, and the API takes {settings.API_UPLOAD_BYTES:,}.",
            "Leave out large files, such as videos, or push from a shell.",
        )


def _photos_too_large(head: bytes) -> RequestRefused:
    # gunicorn is here before Django
    from qdn.failures import POLICY, page  # noqa: PLC0415
    from tracking.languages import language_of  # noqa: PLC0415

    request = HttpRequest()
    if preferred := _LANGUAGES.search(head):
        request.META["HTTP_ACCEPT_LANGUAGE"] = preferred[1].decode("latin-1")
    with translation.override(language_of(request)):
        body = page("failures/413.html", status=413).content.decode()
    return RequestRefused(
        "413 Content Too Large",
        body,
        content_type="text/html; charset=utf-8",
        policy=POLICY,
        linger_seconds=_LINGER_SECONDS,
    )


def _refused(status: str, code: str, message: str, hint: str) -> RequestRefused:
    content = json.dumps({"code": code, "message": message, "hint": hint})
    return RequestRefused(status, content, content_type="application/json")
