"""Smoke checks: what pages must show, listed in a `checks.json` that is part of the release.

The file is a list of `{"path": "/book/", "status": 200, "text": "Book a pickup"}`; `status`
defaults to 200, `text` is optional. The checks run before and after every switch.
"""

import json
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from deployments.errors import Refused
from deployments.models import Release
from deployments.releases.manifest import CHECKS
from edge.behaviours import Origin, behaviour_for
from edge.errors import ObjectMissing
from edge.protocols import ObjectStore, ViewerResponse

CHECKS_AT_MOST = 50
TEXT_AT_MOST = 1_000  # characters, of paths too
BODY_BYTES = 256 * 2**10
STATUSES = range(200, 600)
# As a browser sends it: ASCII, nothing to encode, no fragment; no dot segments, no double slash.
_PATH = re.compile(r"(?![^?]*//)(?![^?]*/\.\.?(/|\?|\Z))/[!-\"$-\[\]-~]*")


@dataclass(frozen=True, slots=True)
class SmokeCheck:
    """A path, the status it must answer with, and a text its body must contain verbatim."""

    path: str
    status: int = 200
    text: str = ""


_KEYS = set(SmokeCheck.__slots__)


def parse_checks(body: bytes) -> tuple[SmokeCheck, ...]:
    """Read a `checks.json`. Raises Refused if it is invalid."""
    if len(body) > BODY_BYTES:
        raise _wrong(f"is larger than {BODY_BYTES // 2**10} KiB", "Shorten its texts.")
    try:
        rows = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise _wrong(f"is not JSON: {error}", "Correct or remove the file.") from error
    if not isinstance(rows, list):
        raise _wrong("is not a list", f"Expected a list of {_EXAMPLE}.")
    if len(rows) > CHECKS_AT_MOST:
        hint = "Keep the checks that would catch a broken release."
        raise _wrong(f"lists {len(rows)} checks; the limit is {CHECKS_AT_MOST}", hint)
    return tuple(_check(number, row) for number, row in enumerate(rows, 1))


def checks_body(checks: Iterable[SmokeCheck]) -> bytes:
    """Return a `checks.json`: same checks, same bytes. Raises Refused as `parse_checks` does."""
    rows = [asdict(check) for check in checks]
    body = json.dumps(rows, ensure_ascii=False, indent=1).encode() + b"\n"
    parse_checks(body)
    return body


def read_checks(objects: ObjectStore, release: Release) -> tuple[SmokeCheck, ...]:
    """Read the checks of a release with one GET; it may have none. Raises Refused."""
    try:
        body = objects.get(release.key(CHECKS)).body
    except ObjectMissing:
        return ()
    return parse_checks(body)


def fault_of(check: SmokeCheck, response: ViewerResponse) -> str:
    """Return what is wrong with a response, or an empty string."""
    if response.status != check.status:
        return f"{check.path} answered {response.status}, expected {check.status}"
    if check.text.encode() not in response.body:
        return f"{check.path} does not contain {check.text!r}"
    return ""


def _check(number: int, row: Any) -> SmokeCheck:
    if not isinstance(row, dict) or "path" not in row:
        raise _wrong(f"entry {number} has no path", f"Expected {_EXAMPLE}.")
    unknown = sorted(set(row) - _KEYS)
    if unknown:
        raise _wrong(f"entry {number} has the unknown key {unknown[0]!r}", f"Expected {_EXAMPLE}.")
    check = SmokeCheck(**row)
    fault = _path_fault(check.path) or _answer_fault(check)
    if fault:
        raise _wrong(f"entry {number} {fault}", "Correct it and push again.")
    return check


def _path_fault(path: Any) -> str:
    if not isinstance(path, str) or len(path) > TEXT_AT_MOST or not _PATH.fullmatch(path):
        return f"has the path {_shown(path)}, expected one as browsers send it, such as /book/"
    if behaviour_for(path.partition("?")[0]).origin is Origin.APPLICATION:
        return f"has the path {_shown(path)}, which is answered by the application, not the release"
    return ""


def _answer_fault(check: SmokeCheck) -> str:
    # True is an int in Python, not in JSON.
    if type(check.status) is not int or check.status not in STATUSES:
        return f"has the status {_shown(check.status)}, expected a number from 200 to 599"
    if not _is_text(check.text):
        return f"has the text {_shown(check.text)}, expected at most {TEXT_AT_MOST:,} characters"
    return ""


def _is_text(value: Any) -> bool:
    # JSON can contain unpaired surrogates, which no page contains.
    return (
        isinstance(value, str)
        and len(value) <= TEXT_AT_MOST
        and not any("\ud800" <= character <= "\udfff" for character in value)
    )


def _wrong(fault: str, hint: str) -> Refused:
    return Refused("checks-invalid", f"{CHECKS} {fault}.", hint)


def _shown(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 80 else f"{text[:80]}..."  # noqa: PLR2004


_EXAMPLE = '{"path": "/book/", "status": 200, "text": "Book a pickup"}'
