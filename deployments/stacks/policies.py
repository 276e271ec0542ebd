"""IAM policies for the resources of this installation."""

from typing import Any

from deployments.errors import Refused
from deployments.models import Distribution, Environment
from edge.functions.shipped import function_name
from edge.provisioning.iam import Places, Role, write_policy

ACCOUNT_FIELD = 4  # of an ARN's parts: arn:partition:service:region:account:resource


def role_policy(role: Role, bucket: str) -> dict[str, Any]:
    """Return the policy of a role. `bucket` comes before those of stacks. Raises Refused."""
    places = find_places(bucket)
    if not places.bucket and role is not Role.PROVISION:
        raise Refused(
            "bucket-unknown",
            "No bucket is known, so the policy would not apply to any.",
            "Set EDGE_BUCKET, or provision an environment first.",
        )
    return write_policy(role, places)


def find_places(bucket: str) -> Places:
    """Return the resources the environments use, as exactly as stacks and rows have them.

    Without a stack the account and the key-value store's id are unknown, and so are the
    distributions without rows: they are `*`.
    """
    environments = list(Environment.objects.all())
    outputs = [one.stack.get("outputs", {}) for one in environments]
    stores = sorted({found["KeyValueStore"] for found in outputs if found.get("KeyValueStore")})
    buckets = [found["Bucket"] for found in outputs if found.get("Bucket")]
    return Places(
        bucket=bucket or next(iter(buckets), ""),
        account=stores[0].split(":")[ACCOUNT_FIELD] if stores else "*",
        stores=[arn.rpartition("/")[2] for arn in stores] or ["*"],
        distributions=[row.remote_id for row in Distribution.objects.all()] or ["*"],
        functions=[function_name(one.name) for one in environments] or ["*"],
    )
