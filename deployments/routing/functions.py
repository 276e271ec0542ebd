"""Edge function versions: kept here, tried out before publication, carried by deployments."""

from datetime import timedelta
from typing import Any

from deployments.errors import Refused
from deployments.models import Environment, FunctionVersion, Release
from deployments.routing import previews
from deployments.routing.routes import read_route
from edge.errors import FunctionFailed, LimitExceeded
from edge.functions.shipped import digest_of, function_name, function_source
from edge.protocols import Backend, FunctionTest, PublishedFunction
from edge.runtime.event import viewer_event
from edge.runtime.trials import check_source

TRIAL = timedelta(hours=1)  # how long a preview signed for a trial holds


def shipped_version(*, actor: str) -> FunctionVersion:
    """Describe the function as this checkout ships it; written down once it is deployed.

    Raises Refused for one that was never deployed and that CloudFront would not take.
    """
    source = function_source()
    digest = digest_of(source)
    known = FunctionVersion.objects.filter(digest=digest).first()
    if known:
        return known
    check_limits(source)
    return FunctionVersion(digest=digest, source=source, created_by=actor)


def check_first_function(environment: Environment, *, actor: str) -> None:
    """Refuse what a first deployment would publish, before its release is uploaded."""
    if environment.live is None and environment.runs_function:
        shipped_version(actor=actor)


def check_limits(source: str) -> None:
    """Refuse a source that is too large or does not parse, before anything is sent."""
    try:
        check_source(source)
    except (FunctionFailed, LimitExceeded) as error:
        raise Refused("function-invalid", error.message, error.hint) from error


def keep(version: FunctionVersion) -> FunctionVersion:
    """Write a version down; the same source is the same version."""
    kept, _ = FunctionVersion.objects.get_or_create(
        digest=version.digest,
        defaults={"source": version.source, "created_by": version.created_by},
    )
    return kept


def live(backend: Backend, environment: Environment) -> PublishedFunction | None:
    """Read the function the environment's viewers meet."""
    return backend.functions.live(function_name(environment.name))


def publish(backend: Backend, environment: Environment, source: str) -> None:
    """Make a source live; what is published is what was staged, by the stage's ETag."""
    name = function_name(environment.name)
    etag = backend.functions.stage(name, source)
    backend.functions.publish(name, if_match=etag)


def try_out(
    backend: Backend, environment: Environment, version: FunctionVersion, release: Release
) -> list[FunctionTest]:
    """Run a version in the development stage on a request for each page of a release.

    Raises Refused when it is too large, does not parse, fails, or does not lead to the release.
    """
    name = function_name(environment.name)
    cookies = _way_in(backend, environment, release)
    pages = release.pages.values()
    try:
        etag = backend.functions.stage(name, version.source)
        tests = [
            backend.functions.test(name, _event(environment, page["url"], cookies), if_match=etag)
            for page in pages
        ]
    except (FunctionFailed, LimitExceeded) as error:
        raise Refused("function-invalid", error.message, error.hint) from error
    for page, test in zip(pages, tests, strict=True):
        _judge(page, test, release)
    return tests


def _judge(page: dict[str, Any], test: FunctionTest, release: Release) -> None:
    expected = f"/{release.key(page['path'])}"
    output = test.output or {}
    request, response = output.get("request", {}), output.get("response", {})
    led_to = test.error or request.get("uri") or f"status {response.get('statusCode')}"
    if led_to != expected:
        raise Refused(
            "function-wrong",
            f"A request for {page['url']} led to: {led_to}; expected {expected}.",
            "Fix edge/functions/viewer_request.js; tests/edge/functions/cases.py has its cases.",
        )


def _way_in(backend: Backend, environment: Environment, release: Release) -> str:
    """Sign a preview where any viewer might be shown something else, or nothing."""
    document = read_route(backend.keyvalues, environment).document
    if document is None or not (document.maintenance or document.canary):
        return ""
    ticket = previews.ticket(backend.keyvalues, environment, release, lifetime=TRIAL)
    return previews.cookie(ticket)


def _event(environment: Environment, uri: str, cookies: str) -> dict[str, Any]:
    headers = {"host": environment.host}
    return viewer_event(uri=uri, headers=headers, cookies=cookies, request_id="trial")
