"""Checks of the `copy` strategy: the files under the environment's fixed keys."""

from collections.abc import Iterator

from deployments.deploy.copy_plan import is_pointed, plan_copies, unfinished_copies
from deployments.deploy.plan import Target
from deployments.errors import Refused
from deployments.models import Deployment
from deployments.verification.inspection import Drift, Inspection


def origin(inspection: Inspection) -> Iterator[Drift]:
    """Is every host answered from where the files are copied to?"""
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
    """Does every key hold its file of the live release, and no other key anything?"""
    environment, live = inspection.environment, inspection.live
    target = Target(environment, live.release, live.function, Deployment.Kind.PROMOTE, "", "")
    try:
        changes = plan_copies(inspection.backend, target).changes
    except Refused:
        return  # files of the release are gone, which another check reports
    for what, paths in (
        ("missing or not the release's", [artifact.path for artifact in changes.copies]),
        ("not files of the release", list(changes.deletions)),
    ):
        if paths:
            message = f"{len(paths)} keys are {what}, first {environment.copy_prefix}{paths[0]}"
            yield Drift("copies", message, inspection.repair)
