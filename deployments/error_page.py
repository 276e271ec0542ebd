"""The error page at its fixed key: edge functions do not run on error responses.

All environments share it, so it follows the protected one; any may fill the empty place.
"""

from deployments import invalidating
from deployments.artifacts import ERROR_PAGE
from deployments.models import Deployment
from edge.protocols import Backend

KEY = "errors/404.html"


def refresh(backend: Backend, deployment: Deployment) -> int:
    """Bring the error page up to date; tell how many paths were invalidated. Raises EdgeError."""
    source = deployment.release.key(ERROR_PAGE)
    wanted, stored = backend.objects.head(source), backend.objects.head(KEY)
    if wanted is None or (stored and not deployment.environment.protected):
        return 0
    metadata = {"sha256": wanted.metadata.get("sha256", "")}
    if stored and stored.metadata.get("sha256") == metadata["sha256"]:
        return 0
    backend.objects.copy(source, KEY, metadata=metadata)
    environment = deployment.environment
    # It is asked for by the distribution itself, so the patterns of its paths do not matter.
    drops = invalidating.Drops(environment, {name: [f"/{KEY}"] for name in environment.caches})
    step = f"deployment-{deployment.pk}-error-page"
    return invalidating.send(
        backend, drops, step=step, actor=deployment.actor, deployment=deployment
    )
