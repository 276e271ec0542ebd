"""What a request asks for: its parameters and its archive."""

import json
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol, cast

from django.conf import settings
from django.http import HttpRequest

from deployments.api.refusals import BodyTooLarge, BodyUnsupported, RequestInvalid
from deployments.models import ApiToken

Action = ApiToken.Action
PARAMETERS = {
    Action.PUSH: {"environment", "commit", "author", "branch", "message"},
    Action.PROMOTE: {"from", "to", "release", "reason"},
    Action.ROLLBACK: {"environment", "release", "reason"},
}
JSON, ZIP, FORM = "application/json", "application/zip", "multipart/form-data"
JSON_BYTES, CHUNK_BYTES = 64 * 1024, 256 * 1024
LONGEST = 300  # what the history keeps of a reason


class Readable(Protocol):
    """Where an archive is read from: a request, or a file of its form."""

    def read(self, size: int, /) -> bytes: ...


def read_parameters(request: HttpRequest) -> dict[str, str]:
    """Return the parameters of a request, `action` among them. Raises ApiRefused."""
    _check_size(request)
    values = {name: _checked(name, value) for name, value in _values(request).items()}
    action = values.get("action", "")
    if action not in PARAMETERS:
        known = ", ".join(PARAMETERS)
        raise RequestInvalid(
            "request-invalid", f"Expected an action ({known}), found {action!r}.", "Name one."
        )
    if unknown := sorted(set(values) - PARAMETERS[Action(action)] - {"action"}):
        raise RequestInvalid(
            "request-invalid",
            f"The action '{action}' has no parameter {', '.join(map(repr, unknown))}.",
            f"Use: {', '.join(sorted(PARAMETERS[Action(action)]))}.",
        )
    return values


@contextmanager
def received_archive(request: HttpRequest) -> Iterator[Path]:
    """Write the archive of a request into a file that exists while the block runs.

    Raises ApiRefused.
    """
    with tempfile.NamedTemporaryFile(prefix="qdn-received-", suffix=".zip") as output:
        source = _archive(request)
        while chunk := source.read(CHUNK_BYTES):
            output.write(chunk)
        output.flush()
        yield Path(output.name)


def _check_size(request: HttpRequest) -> None:
    digits = request.headers.get("Content-Length", "")
    size = int(digits) if digits.isdecimal() else 0
    most = JSON_BYTES if request.content_type == JSON else settings.API_UPLOAD_BYTES
    if size > most:
        raise BodyTooLarge(
            "request-too-large",
            f"The body has {size:,} bytes, and the API takes {most:,} of this type.",
            "Leave out large files, such as videos, or push from a shell.",
        )


def _values(request: HttpRequest) -> Mapping[str, Any]:
    if request.content_type == JSON:
        return _json(request)
    if request.content_type == ZIP:
        return request.GET.dict()
    if request.content_type == FORM:
        return {**request.GET.dict(), **request.POST.dict()}
    raise BodyUnsupported(
        "request-type",
        f"Expected {JSON}, {ZIP} or {FORM}, found {request.content_type or 'no type'}.",
        "Set the header Content-Type.",
    )


def _json(request: HttpRequest) -> dict[str, Any]:
    try:
        values = json.loads(request.body)
    except (ValueError, RecursionError):
        values = None
    if not isinstance(values, dict):
        raise RequestInvalid("request-invalid", "The body is not a JSON object.", "Send one.")
    return values


def _checked(name: str, value: Any) -> str:
    if not (isinstance(value, str) and value.isprintable() and len(value) <= LONGEST):
        raise RequestInvalid(
            "request-invalid",
            f"Expected '{name}' to be a text of at most {LONGEST} printable characters.",
            "Correct it.",
        )
    return value


def _archive(request: HttpRequest) -> Readable:
    if request.content_type == ZIP:
        return request
    files = list(request.FILES.values())
    if request.content_type != FORM or len(files) != 1:
        raise RequestInvalid(
            "request-invalid",
            f"A push needs one ZIP archive, and the request has {len(files)}.",
            "Send it as the body, with Content-Type: application/zip",
        )
    return cast(Readable, files[0])
