"""Checks of the `copy` strategy: the files under the environment's fixed keys."""

from collections.abc import Iterator

from deployments.deploy.copy_plan import is_pointed, plan_copies, unfinished_copies
from deployments.deploy.plan import Target
from deployments.errors import Refused
from deployments.models import Deployment
from deployments.verification.inspection import Drift, Inspection
from deployments.wording import plural


def origin(inspection: Inspection) -> Iterator[Drift]:
    """Is every host answered from the copied files?"""
    if not is_pointed(inspection.backend, inspection.environment):
        prefix = inspection.environment.copy_prefix
        yield Drift("origin", f"a host is not answered from {prefix}", inspection.repair)


def mixed(inspection: Inspection) -> Iterator[Drift]:
    """Did a later deployment fail and leave files of its release?"""
    for deployment in unfinished_copies(inspection.environment, inspection.live):
        if hasattr(deployment, "outcome"):
            live = inspection.live.release
            message = f"files from {deployment.release} may be mixed with those of {live}"
            yield Drift("mixed", message, inspection.repair)


def copies(inspection: Inspection) -> Iterator[Drift]:
    """Do the keys hold exactly the files of the live release?"""
    environment, live = inspection.environment, inspection.live
    target = Target(environment, live.release, live.function, Deployment.Kind.PROMOTE, "", "")
    try:
        changes = plan_copies(inspection.backend, target).changes
    except Refused:
        return  # files of the release are gone, which another check reports
    for noun, paths in (
        ("missing or wrong file", [artifact.path for artifact in changes.copies]),
        ("extra file", list(changes.deletions)),
    ):
        if paths:
            message = f"{plural(len(paths), noun)}, first {environment.copy_prefix}{paths[0]}"
            yield Drift("copies", message, inspection.repair)
