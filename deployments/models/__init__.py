"""What exists and what happened: environments, releases, deployments, locks, operations."""

from deployments.models.distributions import Distribution, Invalidation
from deployments.models.environments import (
    Deployment,
    Environment,
    Freeze,
    Maintenance,
    Outcome,
    Strategy,
)
from deployments.models.locks import AssetSweep, DeployLock, Lease
from deployments.models.operations import Operation, Step
from deployments.models.releases import FunctionVersion, Release

__all__ = [
    "AssetSweep",
    "DeployLock",
    "Deployment",
    "Distribution",
    "Environment",
    "Freeze",
    "FunctionVersion",
    "Invalidation",
    "Lease",
    "Maintenance",
    "Operation",
    "Outcome",
    "Release",
    "Step",
    "Strategy",
]
