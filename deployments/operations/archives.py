"""Pushing a ZIP archive: what the API, the admin and `incoming/` do with one."""

from pathlib import Path

from deployments.deploy.freezes import check_open
from deployments.errors import Refused
from deployments.models import Environment, Operation
from deployments.operations import uploads
from deployments.operations.run import ask_to_push
from deployments.releases.provenance import UNKNOWN, Provenance
from edge.backends import get_backend


def check_takes_archives(environment: Environment) -> None:
    """Refuse an environment that is protected or frozen. Raises Refused."""
    if environment.protected:
        raise Refused(
            "push-protected",
            f"{environment} is protected, and takes no archives.",
            "Push to another environment, then promote.",
        )
    check_open(environment)


def push_archive(
    *,
    environment: Environment,
    archive: Path,
    actor: str,
    reason: str,
    provenance: Provenance = UNKNOWN,
) -> Operation:
    """Keep an archive and start the operation that pushes it. Raises Refused, EdgeError."""
    check_takes_archives(environment)
    objects = get_backend().objects
    upload = uploads.keep(objects, archive)
    try:
        return ask_to_push(
            environment=environment,
            actor=actor,
            reason=reason,
            upload=upload,
            provenance=provenance,
        )
    except BaseException:
        uploads.remove(objects, upload)
        raise
