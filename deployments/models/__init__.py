"""What exists and what happened: environments, releases, deployments, locks, operations, hooks."""

from deployments.models.distributions import Distribution, Invalidation
from deployments.models.environments import (
    Access,
    Deployment,
    Environment,
    Freeze,
    Maintenance,
    Outcome,
    Strategy,
)
from deployments.models.hooks import Hook, HookRun
from deployments.models.locks import AssetSweep, DeployLock, Lease
from deployments.models.operations import Operation, Step
from deployments.models.previews import BranchPreview
from deployments.models.releases import FunctionVersion, Release
from deployments.models.timings import Metric, PageTiming
from deployments.models.tokens import ApiToken, RefusedRequest

__all__ = [
    "Access",
    "ApiToken",
    "AssetSweep",
    "BranchPreview",
    "DeployLock",
    "Deployment",
    "Distribution",
    "Environment",
    "Freeze",
    "FunctionVersion",
    "Hook",
    "HookRun",
    "Invalidation",
    "Lease",
    "Maintenance",
    "Metric",
    "Operation",
    "Outcome",
    "PageTiming",
    "RefusedRequest",
    "Release",
    "Step",
    "Strategy",
]
