"""What exists and what happened: environments, releases, deployments, locks, operations."""

from deployments.models.deployments import Deployment, Invalidation, Outcome
from deployments.models.environments import Distribution, Environment, Strategy
from deployments.models.holds import AssetSweep, DeployLock, Freeze, Maintenance
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
    "Maintenance",
    "Operation",
    "Outcome",
    "Release",
    "Step",
    "Strategy",
]
