"""Edge function versions: recorded, tried out before publication, published by deployments."""

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

TRIAL = timedelta(hours=1)  # how long a preview signed for a trial is valid


def shipped_version(*, actor: str) -> FunctionVersion:
    """Return the version in this checkout, unsaved until it is deployed.

    Raises Refused if it was never deployed and CloudFront would reject it.
    """
    source = function_source()
    digest = digest_of(source)
    known = FunctionVersion.objects.filter(digest=digest).first()
    if known:
        return known
    check_limits(source)
    return FunctionVersion(digest=digest, source=source, created_by=actor)


def check_first_function(environment: Environment, *, actor: str) -> None:
    """Check the function of a first deployment, before its release is uploaded. Raises Refused."""
    if environment.live is None and environment.runs_function:
        shipped_version(actor=actor)


def check_limits(source: str) -> None:
    """Refuse a source that is too large or does not parse. Raises Refused."""
    try:
        check_source(source)
    except (FunctionFailed, LimitExceeded) as error:
        raise Refused("function-invalid", error.message, error.hint) from error


def keep(version: FunctionVersion) -> FunctionVersion:
    """Save a version; the same source is the same version."""
    kept, _ = FunctionVersion.objects.get_or_create(
        digest=version.digest,
        defaults={"source": version.source, "created_by": version.created_by},
    )
    return kept


def live(backend: Backend, environment: Environment) -> PublishedFunction | None:
    """Return the published function of an environment, or None."""
    return backend.functions.live(function_name(environment.name))


def publish(backend: Backend, environment: Environment, source: str) -> None:
    """Publish a source; the stage's ETag ensures that exactly this source goes live."""
    name = function_name(environment.name)
    etag = backend.functions.stage(name, source)
    backend.functions.publish(name, if_match=etag)


def try_out(
    backend: Backend, environment: Environment, version: FunctionVersion, release: Release
) -> list[FunctionTest]:
    """Run a version in the development stage, with a request for each page of a release.

    Raises Refused if it is too large, does not parse, fails or does not route to the release.
    """
    name = function_name(environment.name)
    cookies = _preview_cookie(backend, environment, release)
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
        _check_result(page, test, release)
    return tests


def _check_result(page: dict[str, Any], test: FunctionTest, release: Release) -> None:
    expected = f"/{release.key(page['path'])}"
    output = test.output or {}
    request, response = output.get("request", {}), output.get("response", {})
    found = test.error or request.get("uri") or f"status {response.get('statusCode')}"
    if found != expected:
        raise Refused(
            "function-wrong",
            f"A request for {page['url']} resulted in {found}; expected {expected}.",
            "Fix edge/functions/viewer_request.js; tests/edge/functions/cases.py has its cases.",
        )


def _preview_cookie(backend: Backend, environment: Environment, release: Release) -> str:
    """Return a preview's cookie if a canary, maintenance or a password would hide the release."""
    document = read_route(backend.keyvalues, environment).document
    if document is None or not (document.maintenance or document.canary or document.access):
        return ""
    ticket = previews.ticket(backend.keyvalues, environment, release, lifetime=TRIAL)
    return previews.cookie(ticket)


def _event(environment: Environment, uri: str, cookies: str) -> dict[str, Any]:
    headers = {"host": environment.host}
    return viewer_event(uri=uri, headers=headers, cookies=cookies, request_id="trial")
