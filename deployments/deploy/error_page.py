"""The error page at its fixed key: edge functions do not run on error responses.

All environments that share a distribution's key share its page. It is that of the first protected
environment that serves a release, or else of the first one that does. By copy, the page is one of
the copied files. A release without an error page gets the default one, so no environment shows the
page of an earlier site, or the store's own error.
"""

from deployments.context import DeployContext
from deployments.invalidation.send import CachePaths, invalidate
from deployments.models import Deployment, Environment, Release, Strategy
from deployments.releases.manifest import ERROR_PAGE, from_bytes
from deployments.releases.store import concurrently
from edge.protocols import ObjectInfo, ObjectStore
from edge.serving.lifetimes import MISSING_RULE

KEY = "errors/404.html"
Answer = tuple[str, str, str]  # digest, content type, cache rule
# For sites of any kind, so it names none and needs no other file.
_DEFAULT = from_bytes(
    ERROR_PAGE,
    b"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Page not found</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<meta name="color-scheme" content="light dark">
</head>
<body>
<h1>Page not found</h1>
<p>There is no page at this address. Check it for typing errors, or go to the
<a href="/">home page</a>.</p>
</body>
</html>
""",
)


def refresh(context: DeployContext, deployment: Deployment) -> int:
    """Update the error page; return the number of invalidated paths. Raises EdgeError."""
    objects, environment = context.backend.objects, deployment.environment
    if not _is_page_of(environment):
        return 0
    key = _key_of(environment)
    stored, own = _read(objects, environment, deployment.release)
    if stored and _answer(stored) == _expected(environment, own):
        return 0
    context.say(f"Write the error page {key}")
    # Without its digest until the caches have dropped the former page: if a run is killed in
    # between, the next one finds a page that differs and invalidates it again.
    _write(objects, environment, own, with_digest=False)
    former = stored.metadata.get("sha256", "") if stored else ""
    dropped = _drop(context, deployment, former)
    _write(objects, environment, own, with_digest=True)
    return dropped


def fault(objects: ObjectStore, environment: Environment, release: Release) -> str:
    """Return what is wrong with the error page if it is that of an environment's live release."""
    if not _is_page_of(environment):
        return ""
    stored, own = _read(objects, environment, release)
    if stored and _answer(stored) in _tolerated(environment, own):
        return ""
    if stored is None:
        return f"{_key_of(environment)} is missing"
    expected = (
        f"the error page of {release}" if own else f"the default page, and {release} has none"
    )
    return f"{_key_of(environment)} is not {expected}"


def _is_page_of(environment: Environment) -> bool:
    """Whether the page at an environment's key is its own."""
    if not environment.runs_function:
        return True
    others = Environment.objects.filter(strategy=Strategy.POINTER)
    return not any(_rank(one) < _rank(environment) and one.live for one in others)


def _rank(environment: Environment) -> tuple[bool, int]:
    return (not environment.protected, environment.pk)


def _key_of(environment: Environment) -> str:
    return KEY if environment.runs_function else environment.copy_prefix + ERROR_PAGE


def _read(
    objects: ObjectStore, environment: Environment, release: Release
) -> tuple[ObjectInfo | None, ObjectInfo | None]:
    """Return the page that is stored for viewers, and the release's own, if they exist."""
    keys = _key_of(environment), release.key(ERROR_PAGE)
    stored, own = concurrently(objects.head, keys)
    return stored, own


def _answer(page: ObjectInfo) -> Answer:
    return page.metadata.get("sha256", ""), page.content_type, page.cache_control


def _expected(environment: Environment, own: ObjectInfo | None) -> Answer:
    """Return what viewers should get: a page with the rule of a missing page.

    By copy, a release's own page is one of its files and keeps its rule.
    """
    if own is None:
        return _DEFAULT.artifact.sha256, _DEFAULT.artifact.content_type, MISSING_RULE
    digest, content_type, rule = _answer(own)
    return digest, content_type, MISSING_RULE if environment.runs_function else rule


def _tolerated(environment: Environment, own: ObjectInfo | None) -> tuple[Answer, ...]:
    """Return what verify accepts. Earlier versions gave the page the release's own cache rule."""
    expected = _expected(environment, own)
    return (expected, _answer(own)) if own else (expected,)


def _write(
    objects: ObjectStore, environment: Environment, own: ObjectInfo | None, *, with_digest: bool
) -> None:
    digest, content_type, rule = _expected(environment, own)
    objects.put(
        _key_of(environment),
        objects.get(own.key).body if own else _DEFAULT.body,
        content_type=content_type,
        cache_control=rule,
        metadata={"sha256": digest} if with_digest else {},
    )


def _drop(context: DeployContext, deployment: Deployment, former: str) -> int:
    environment = deployment.environment
    # The distribution itself requests it, so its path patterns do not matter.
    caches = environment.caches(context.backend)
    address = "/" + _key_of(environment).removeprefix(environment.copy_prefix)
    drops = CachePaths(environment, {name: [address] for name in caches})
    step = f"deployment-{deployment.pk}-error-page-{former[:8]}"
    return invalidate(context, drops, step=step, actor=deployment.actor, deployment=deployment)
