"""The error page at its fixed key: edge functions do not run on error responses.

All environments share it, so it follows the protected one; any of them may write the first one.
"""

from deployments.context import DeployContext
from deployments.invalidation.send import CachePaths, invalidate
from deployments.models import Deployment
from deployments.releases.manifest import ERROR_PAGE
from edge.protocols import ObjectInfo

KEY = "errors/404.html"


def refresh(context: DeployContext, deployment: Deployment) -> int:
    """Update the error page; return the number of invalidated paths. Raises EdgeError."""
    objects, source = context.backend.objects, deployment.release.key(ERROR_PAGE)
    wanted, stored = objects.head(source), objects.head(KEY)
    if wanted is None or (stored and not deployment.environment.protected):
        return 0
    metadata = {"sha256": wanted.metadata.get("sha256", "")}
    if stored and is_same(stored, wanted):
        return 0
    former = stored.metadata.get("sha256", "") if stored else ""
    # Without its digest until the caches have dropped the former page: if a run is killed in
    # between, the next one finds a page that differs and invalidates it again.
    objects.copy(source, KEY, metadata={})
    dropped = _drop(context, deployment, former)
    objects.copy(source, KEY, metadata=metadata)
    return dropped


def is_same(page: ObjectInfo, other: ObjectInfo) -> bool:
    """Whether viewers would see no difference: the same content and headers."""
    return _answer(page) == _answer(other)


def _answer(page: ObjectInfo) -> tuple[str, str, str]:
    return page.metadata.get("sha256", ""), page.content_type, page.cache_control


def _drop(context: DeployContext, deployment: Deployment, former: str) -> int:
    environment = deployment.environment
    # The distribution itself requests it, so its path patterns do not matter.
    caches = environment.caches(context.backend)
    drops = CachePaths(environment, {name: [f"/{KEY}"] for name in caches})
    step = f"deployment-{deployment.pk}-error-page-{former[:8]}"
    return invalidate(context, drops, step=step, actor=deployment.actor, deployment=deployment)
