"""Files of a release at paths that the application answers, where it has any."""

from collections.abc import Iterable
from urllib.parse import quote

from deployments.errors import Refused
from deployments.models import Environment
from edge.behaviours import Origin, behaviour_for


def claims_of(paths: Iterable[str]) -> list[str]:
    """Return the patterns of the application's paths (`/api/*`) that files are at."""
    found = (behaviour_for(f"/{quote(path)}") for path in paths)
    return sorted({one.pattern for one in found if one.origin is Origin.APPLICATION})


def check_claims(environment: Environment, claims: Iterable[str]) -> None:
    """Refuse files that viewers of an environment could never fetch. Raises Refused."""
    if environment.application and (taken := ", ".join(claims)):
        raise Refused(
            "source-taken",
            f"Files at {taken} could never be fetched: the application answers there in "
            f"{environment}.",
            "Build the site with other names for these folders, or use an environment without the "
            f"application: manage.py environment set {environment} --no-application",
        )
